"""Coordinates that are angles."""

from math import pi

import pytest
import torch

import systems
from systems import InputError, Orbit
from systems.periodic import shortest


@pytest.mark.parametrize(("given", "expected"), [(0.1, 0.1), (2 * pi + 0.1, 0.1), (-7 * pi + 0.2, -pi + 0.2), (40 * pi, 0.0)])
def test_a_difference_of_angles_is_the_shortest_one(given, expected):
    z = torch.tensor([given, 100.0], dtype=torch.float64)
    got = shortest(z, {"theta": 2 * pi}, ("theta", "p"))
    torch.testing.assert_close(got, torch.tensor([expected, 100.0], dtype=torch.float64), rtol=0, atol=1e-12)


def test_a_state_that_is_not_finite_stays_so():
    z = torch.tensor([[torch.nan, torch.inf], [torch.inf, 1.0]])
    assert (~shortest(z, {"a": 1.0}, ("a", "b")).isfinite()).tolist() == [[True, True], [True, False]]


def test_the_periods_of_a_system_stay_with_its_orbits(tmp_path):
    pendulum = systems.get("pendulum")
    orbit = pendulum.orbit(pendulum.sample(2), torch.linspace(0, 1, 3))
    orbit.save(tmp_path / "orbit.nc")
    for kept in (orbit, orbit[0], orbit.to(torch.float32), Orbit.load(tmp_path / "orbit.nc")):
        assert kept.periods == {"theta": 2 * pi}


@pytest.mark.parametrize("periods", [{"omega": 1.0}, {"q": 0.0}, {"q": torch.inf}, {"q": "round"}])
def test_periods_that_are_none_are_refused(periods):
    t = torch.linspace(0, 1, 3)
    with pytest.raises(InputError, match="period"):
        Orbit(t, torch.zeros(3, 2), coordinates=("q", "p"), periods=periods)


def test_an_orbit_does_not_depend_on_the_turn_that_it_starts_in():
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 10, 11, dtype=torch.float64)
    near = torch.tensor([[1.0, 0.3], [0.1, 2.5]], dtype=torch.float64)
    turns = torch.tensor([2e6 * pi, 0.0], dtype=torch.float64)
    expected = pendulum.orbit(near, t).z + turns
    torch.testing.assert_close(pendulum.orbit(near + turns, t).z, expected, rtol=0, atol=1e-8)  # rounding of the angle: 1e-9
