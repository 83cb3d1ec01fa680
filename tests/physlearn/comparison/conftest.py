"""A task that is quick to compare on, and a comparison on it."""

import json

import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt

import systems
from physlearn import compare, tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison
from physlearn.tasks import Forecasting, Task
from physlearn.training import Training


def _pendulum_task(model="hnn", training=None, spy=None):
    """A pendulum, which is quick: 6 orbits in every part, 3 of which are forecast for 2 time units."""
    system = systems.get("pendulum")
    t = torch.linspace(0, 2, 11, dtype=torch.float64)

    def of_part(part):
        if spy is not None:
            spy.append(part)
        return system.orbit(system.sample(6, seed=100 + tasks.PARTS.index(part)), t)

    def forecasting():
        truth = of_part("test")
        return Forecasting(truth, ("euler", "implicit-midpoint"), system.hamiltonian, torch.full((6,), 1.5))

    how = training or Training(epochs=10, batch_size=20, learning_rate=1e-2)
    return Task("swing", "a pendulum's swing", model, of_part, forecasting, training=how, hidden=(10,))


@pytest.fixture(scope="session")
def pendulum_task():
    return _pendulum_task


@pytest.fixture(scope="session")
def task():
    return _pendulum_task()


def _learned(types=2, seed=0, base="sine"):
    x = torch.linspace(-10, 10, 100)
    bends = 0.3 * torch.randn(types, 1, generator=torch.Generator().manual_seed(seed))
    return LearnedActivations(x.sin() + bends * x.tanh(), base=base, task="swing", settings={"seed": seed})


@pytest.fixture(scope="session")
def learned():
    return _learned


@pytest.fixture(scope="session")
def result(task):
    return compare(task, _learned(), single=_learned(1, 5), replicates=3, epochs=2, tuned=False, progress=False)


@pytest.fixture
def plain(monkeypatch):
    """Without the pictures, which take most of the time."""
    figure = plt.figure(figsize=(1, 1))
    plt.close(figure)
    monkeypatch.setattr(Comparison, "figure", lambda _: figure)


def _same(one, other):
    """Whether all but the seconds of two comparisons is equal, to the last bit."""
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    pd.testing.assert_frame_equal(one.curves.drop(columns="seconds"), other.curves.drop(columns="seconds"), check_exact=True)
    told = [json.loads(json.dumps(each.settings)) for each in (one, other)]
    for settings in told:
        for variant in settings["variants"].values():
            variant.pop("seconds")
    assert told[0] == told[1]


@pytest.fixture(scope="session")
def same():
    return _same
