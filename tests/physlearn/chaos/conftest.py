"""Orbits of Henon-Heiles whose class is known, and Lorenz's equations as a plain function."""

import pytest
import torch

from physlearn.threads import suited_to

ENERGY = 1 / 8


@pytest.fixture(autouse=True)
def one_thread():
    """Small work on a busy machine waits for every thread that it is given."""
    with suited_to(1):
        yield


@pytest.fixture(scope="session")
def at_one_eighth():
    """States (n, 4) at E = 1/8 with x = p_y = 0 and the values of y given."""

    def states(*y):
        y = torch.tensor(y, dtype=torch.float64)
        p_x = (2 * ENERGY - y**2 + 2 / 3 * y**3).sqrt()
        return torch.stack([torch.zeros_like(y), y, p_x, torch.zeros_like(y)], dim=-1)

    return states


@pytest.fixture(scope="session")
def known(at_one_eighth):
    """A regular orbit and a chaotic one, which sticks to the islands for some hundreds of units of time."""
    return at_one_eighth(0.55, -0.25)


@pytest.fixture(scope="session")
def lorenz():
    def lorenz(t, state):
        x, y, z = state.unbind(-1)
        return torch.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], dim=-1)

    return lorenz


@pytest.fixture
def by_both(monkeypatch):
    """Calls a function with compiled code, and with torch alone."""

    def call(function):
        compiled = function()
        monkeypatch.setattr("physlearn.chaos.rollout.compiled_flow", lambda *_: None)
        return compiled, function()

    return call
