"""What does not fit is refused before it is begun."""

import math

import pytest
import torch

import systems
from physlearn import integrate
from systems import InputError, size


def test_memory_is_known_and_plausible():
    assert 1e8 < size.available_memory() < 1e15


@pytest.mark.parametrize("numbers", [1e15, 10**400, math.inf, math.nan])
def test_more_numbers_than_fit_are_refused(numbers):
    with pytest.raises(InputError, match="GB of memory"):
        size.check_memory(numbers, "so many states")


def test_what_fits_is_let_through(monkeypatch):
    monkeypatch.setattr(size, "available_memory", lambda: 1e7)
    size.check_memory(1e6, "a million numbers")
    with pytest.raises(InputError, match="ask for fewer"):
        size.check_memory(2e6, "two million numbers")


@pytest.mark.parametrize("steps", [1e11, math.inf, math.nan])
def test_more_steps_than_can_be_waited_for_are_refused(steps):
    size.check_steps(1e9, "a run")
    with pytest.raises(InputError, match="make it shorter"):
        size.check_steps(steps, "a run")


@pytest.mark.parametrize("name", ["pendulum", "henon-heiles", "lorenz"])
def test_systems_refuse_to_sample_more_states_than_fit(name):
    with pytest.raises(InputError, match="GB of memory"):
        systems.get(name).sample(10**13)


def test_orbits_that_do_not_fit_are_refused_before_they_are_followed(monkeypatch, henon_heiles):
    monkeypatch.setattr("systems.size.available_memory", lambda: 1e6)
    z0, t = torch.zeros(1, 4, dtype=torch.float64).expand(1000, 4), torch.linspace(0, 1, 1000, dtype=torch.float64)
    with pytest.raises(InputError, match="orbits from these states"):
        henon_heiles.orbit(z0, t)
    with pytest.raises(InputError, match="orbits from these states"):
        integrate(henon_heiles, z0, t, "rk4")
