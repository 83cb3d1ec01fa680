"""Forecasters are polished on rates: they gain accuracy without noise, do not learn noise, and survive an interruption."""

from dataclasses import replace

import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.metrics import derivative_loss
from physlearn.training import levenberg_marquardt
from systems import InputError

PENDULUM = systems.get("pendulum")
T = torch.linspace(0, 5, 51, dtype=torch.float64)


def orbits(n, seed, noise=0.0):
    """Orbits of a pendulum whose rates, but not their states, are noisy."""
    orbit = PENDULUM.orbit(PENDULUM.sample(n, seed=seed), T)
    drawn = torch.randn(orbit.rate.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return replace(orbit, rate=orbit.rate + noise * orbit.rate.std((0, 1)) * drawn)


def error(f):
    return float(derivative_loss(f, orbits(20, 77)))


def fitted(seen, held=None, model="nn", **settings):
    return Forecaster(model, hidden=(30,), seed=0).fit(seen, held, progress=False, **{"epochs": 60, **settings})


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-separable", "hnn-mechanical"])
def test_exact_rates_are_learned_more_accurately_by_default(model):
    seen, held = orbits(10, 0), orbits(4, 1)
    assert error(fitted(seen, held, model)) < 0.3 * error(fitted(seen, held, model, polish=0))


def test_a_network_with_angles_or_several_layers_is_polished_too():
    seen = orbits(10, 0)
    for settings in ({"angles": True}, {"hidden": (10, 10)}):
        plain, better = (
            Forecaster("hnn", **{"hidden": (20,), "seed": 0, **settings}).fit(seen, epochs=10, polish=n, progress=False)
            for n in (0, 40)
        )
        assert error(better) < 0.5 * error(plain)
        assert len(better.history) == 12  # of 40 steps, each 20 have a row


@pytest.mark.parametrize("held", [None, orbits(4, 1, 0.3)])
def test_noise_is_not_learned(held):
    seen = orbits(10, 0, 0.3)  # 1000 rates for 152 weights
    assert error(fitted(seen, held, polish=200)) < 1.1 * error(fitted(seen, held, polish=0))


def test_the_number_of_steps_follows_the_epochs_and_each_step_has_a_row():
    seen, held = orbits(10, 0), orbits(4, 1)
    steps = {epochs: fitted(seen, held, epochs=epochs).history["learning_rate"].isna().sum() for epochs in (5, 20, 40)}
    assert steps == {5: 0, 20: 2, 40: 4}
    f = fitted(seen, held, polish=3)
    assert list(f.history.index) == list(range(63))
    assert f.history.notna().drop(columns="learning_rate").all(axis=None)
    assert f.history["validation"].iloc[-1] < f.history["validation"].iloc[:60].min()


def test_every_member_is_polished_and_the_first_has_the_smallest_loss():
    seen, held = orbits(6, 0), orbits(3, 1)
    f = Forecaster("hnn", hidden=(10,), members=3, seed=0).fit(seen, held, epochs=30, progress=False)
    alone = [Forecaster("hnn", hidden=(10,), seed=k).fit(seen, held, epochs=30, progress=False) for k in range(3)]
    best = min(alone, key=lambda one: one.history["validation"].min())
    assert f.history["learning_rate"].isna().sum() == 3
    assert f.history["validation"].min() == pytest.approx(best.history["validation"].min(), rel=1e-2)


def test_an_interrupted_polish_leaves_the_forecaster_as_it_was(monkeypatch):
    f = fitted(orbits(5, 0), epochs=5)
    z, history = orbits(2, 3).z, f.history
    before = f.vector_field(0.0, z)

    def interrupted(errors, weights, steps):
        yield weights + 1e-3
        raise KeyboardInterrupt

    monkeypatch.setattr(levenberg_marquardt, "descend", interrupted)
    with pytest.raises(KeyboardInterrupt):
        f.fit(orbits(5, 1), epochs=20, progress=False)
    assert torch.equal(f.vector_field(0.0, z), before)
    assert f.history is history


def test_rates_that_a_spline_derives_are_polished_only_if_asked():
    measured = replace(orbits(10, 0), rate=None)
    history = {polish: fitted(measured, loss="derivative", polish=polish).history for polish in (None, 2)}
    assert history[None]["learning_rate"].notna().all()
    assert history[2]["learning_rate"].isna().any()


@pytest.mark.parametrize(
    ("polish", "message"),
    [(-1, "polish must be a number of steps, at least 0, not -1"), (1.5, "polish must be a whole number, not 1.5")],
)
def test_wrong_numbers_of_steps_are_refused(polish, message):
    with pytest.raises(InputError, match=message):
        fitted(orbits(3, 0), polish=polish)
