"""Small models that have learned a little, in no time."""

import pytest
import torch

import systems
from physlearn.explorer import Exploration, Learning, Neurons, Shelf


@pytest.fixture(scope="session")
def shelf():
    return Shelf(Learning(orbits=10, epochs=3, hidden=(8,), polish=2))


@pytest.fixture(scope="session")
def exploring(shelf):
    """An exploration of a system, with its models or others."""

    def exploring(name, models=("nn", "hnn"), z0=None, **how):
        system = systems.get(name)
        trained = {model: shelf.get(system, model, Neurons.named("sine")) for model in models}
        z0 = system.sample(1, seed=1)[0] if z0 is None else torch.tensor(z0, dtype=torch.float64)
        return Exploration(system, z0, trained, **how)

    return exploring


@pytest.fixture(scope="session")
def answers(shelf):
    """The answers of an explorer whose models have learned a little."""
    pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")
    from physlearn.explorer.answers import Answers

    for model in ("nn", "hnn"):
        shelf.get(systems.get("pendulum"), model, Neurons.named("tanh"))
    return Answers(shelf, "pendulum")


@pytest.fixture(scope="session")
def request_for(answers):
    """A request for the orbits of a system, from the state that the page shows first."""
    from physlearn.explorer.asked import Asked

    def request_for(name, *lines, **changes):
        stage = answers.stage(Asked({"system": name}))
        return Asked({"system": name, **{k: stage[k] for k in ("z0", "time", "dt")}, "lines": list(lines), **changes})

    return request_for
