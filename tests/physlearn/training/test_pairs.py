import pytest
import torch

import systems
from physlearn.training import Pairs
from systems import InputError, Orbit


def an_orbit(n=3, times=5, rate=True, coordinates=("q", "p")):
    random = torch.Generator().manual_seed(0)
    z = torch.randn(n, times, 2, generator=random)
    return Orbit(torch.arange(float(times)), z, rate=2 * z if rate else None, coordinates=coordinates)


def test_pairs_are_all_samples_of_all_orbits_whatever_their_lengths():
    pairs = Pairs.of([an_orbit(3, 5), an_orbit(1, 7), an_orbit(1, 4)[0]])
    assert pairs.z.shape == (3 * 5 + 7 + 4, 2)
    assert torch.equal(pairs.rate, 2 * pairs.z)


def test_orbits_without_rates_do_not_train():
    with pytest.raises(InputError, match="rates"):
        Pairs.of([an_orbit(), an_orbit(rate=False)])


@pytest.mark.parametrize("nothing", [[], None, torch.zeros(3)])
def test_no_orbits_do_not_train(nothing):
    with pytest.raises((InputError, TypeError), match=r"Orbit|iterable"):
        Pairs.of(nothing)


def test_infinite_states_do_not_train():
    orbit = an_orbit()
    orbit.z[1, 2, 0] = torch.inf
    with pytest.raises(InputError, match="are infinite"):
        Pairs.of(orbit)


def test_samples_that_were_not_measured_are_left_out():
    orbit, holes = an_orbit(), an_orbit()
    holes.z[0, 2, 0] = torch.nan
    holes.rate[1, 0, 1] = torch.nan
    kept = torch.ones(orbit.shape, dtype=torch.bool)
    kept[0, 2] = kept[1, 0] = False
    pairs = Pairs.of(holes)
    assert torch.equal(pairs.z, orbit.z[kept])
    assert torch.equal(pairs.rate, orbit.rate[kept])
    holes.z[:] = torch.nan
    with pytest.raises(InputError, match="at least one state and its rates"):
        Pairs.of(holes)


def test_orbits_of_different_coordinates_do_not_train_together():
    with pytest.raises(InputError, match="different coordinates"):
        Pairs.of([an_orbit(), an_orbit(coordinates=("x", "v"))])


def test_a_systems_orbit_gives_its_own_rates():
    system = systems.get("pendulum")
    pairs = Pairs.of(system.orbit(system.sample(4), torch.linspace(0, 1, 3)))
    torch.testing.assert_close(pairs.rate, system.vector_field(0.0, pairs.z), rtol=1e-15, atol=1e-15)


def test_orbits_of_a_system_that_depends_on_time_are_refused_and_those_of_its_suspension_are_not():
    driven = systems.get("forced-duffing")
    suspended = systems.Suspension(driven)
    t = torch.linspace(0, 1, 5)
    with pytest.raises(InputError, match="forced-duffing does: train on orbits of its suspension"):
        Pairs.of(driven.orbit(driven.sample(2), t))
    assert Pairs.of(suspended.orbit(suspended.sample(2), t)).coordinates == ("x", "v", "cos", "sin")
