"""Orbits are the same physics whatever the units of length, momentum and time, and however late they begin."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch.testing import assert_close

import systems
from systems import HamiltonianSystem, InputError, System
from systems.reference.solvers import solve
from systems.reference.time_scale import fastest_rate, known_jacobian, natural_size

OWN_SOLVER = "pendulum-clock"
UNITS = [(1e-12, 1e-12, 1e-12), (1e12, 1e12, 1e12), (1e-11, 1e-24, 1e-14), (1.5e11, 1e29, 1e7), (1e12, 1e-12, 1.0)]


def systems_in_units():
    """A few systems in all units, and each of the others in one of them."""
    for k, name in enumerate(name for name in systems.names() if name != OWN_SOLVER):
        few = name in ("henon-heiles", "kepler", "lorenz", "forced-duffing")
        yield from ((name, units) for units in (UNITS if few else [UNITS[k % len(UNITS)]]))


@pytest.mark.parametrize(("name", "units"), list(systems_in_units()), ids=str)
def test_every_system_has_the_same_orbits_in_any_units(name, units, in_units):
    system = systems.get(name)
    other = in_units(system, *units)
    t = torch.tensor([0.0, 0.3, 0.7], dtype=torch.float64)
    z0 = system.sample(2)
    expected = system.orbit(z0, t).z
    size = expected.abs().amax(-2, keepdim=True).clamp(min=1e-6)
    found = other.orbit(z0 * other.size, t * other.time).z / other.size
    assert float(((found - expected) / size).abs().max()) < 1e-10


@pytest.mark.parametrize("units", UNITS, ids=str)
@pytest.mark.parametrize("solver", ["DOP853", "RK45", "Radau", "BDF", "LSODA", "dopri8"])
def test_every_solver_is_as_good_as_its_tolerances_in_any_units(solver, units, harmonic_oscillator, in_units):
    other = in_units(harmonic_oscillator, *units)
    t = torch.linspace(0, 2 * math.pi, 5, dtype=torch.float64)
    found = other.orbit(torch.tensor([1.0, 0.0]) * other.size, t * other.time, method=solver, rtol=1e-8, atol=1e-8).z
    exact = torch.stack([t.cos(), -t.sin()], -1)
    assert_close(found / other.size, exact, rtol=0, atol=3e-6 if solver == "BDF" else 1e-6)


@pytest.mark.parametrize(("solver", "count"), [("DOP853", 200), pytest.param("dopri8", 11, marks=pytest.mark.slow)])
def test_an_eccentric_orbit_keeps_ten_digits_over_thirty_revolutions_at_all_times(solver, count):
    t = torch.linspace(0, 200, count, dtype=torch.float64)
    z = systems.get("kepler").orbit([0.4, 0.0, 0.0, 2.0], t, method=solver).z
    anomaly = t + 0.6 * t.sin()
    for _ in range(60):  # Newton's method on Kepler's equation
        anomaly = anomaly - (anomaly - 0.6 * anomaly.sin() - t) / (1 - 0.6 * anomaly.cos())
    exact = torch.stack([anomaly.cos() - 0.6, 0.8 * anomaly.sin()], -1)
    assert_close(z[:, :2], exact, rtol=0, atol=1e-10)


def test_a_growing_orbit_is_accurate_from_its_beginning_on():
    """z = exp t grows by 22 powers of ten: the last size must not excuse errors of the first."""
    t = torch.linspace(0, 50, 6, dtype=torch.float64)
    for solver in ("DOP853", "dopri8"):
        assert_close(solve(lambda t, z: z, torch.ones(1).double(), t, solver)[:, 0], t.exp(), rtol=1e-11, atol=0)


def test_a_coordinate_that_stays_zero_and_one_that_starts_there_are_followed(in_units):
    """A chain of which only one end is displaced, and the plane of motion of Kepler's problem."""
    chain = in_units(systems.get("fput-alpha"), 1e-9, 1e-25, 1e-13)
    z0 = torch.zeros(chain.dim, dtype=torch.float64)
    z0[0] = 0.1
    t = torch.linspace(0, 2, 3, dtype=torch.float64)
    expected = systems.get("fput-alpha").orbit(z0, t, rtol=1e-13, atol=1e-15).z
    assert_close(chain.orbit(z0 * chain.size, t * chain.time).z / chain.size, expected, rtol=0, atol=1e-12)
    still = systems.get("henon-heiles").orbit([0.0, 0.1, 0.0, 0.2], t)
    assert torch.equal(still.z[:, [0, 2]], torch.zeros(3, 2, dtype=torch.float64))


def test_a_driven_orbit_that_begins_at_epoch_seconds_is_the_one_of_that_phase():
    driven = systems.get("forced-duffing", omega=2 * math.pi)  # a period of 1: any whole number of seconds is the same phase
    t = torch.linspace(0, 3, 4, dtype=torch.float64)
    z0 = driven.sample(2)
    for start in (5e8, 1.36e9):
        assert_close(driven.orbit(z0, start + t).z, driven.orbit(z0, t).z, rtol=0, atol=1e-9)
        assert_close(driven.orbit(z0, start + t, method="dopri8").z, driven.orbit(z0, t).z, rtol=0, atol=1e-9)


def test_a_driven_orbit_over_many_periods_keeps_the_phase(monkeypatch):
    """A linear oscillator in its steady state: the time starts again at zero on the way."""
    monkeypatch.setattr("systems.reference.adaptive.PERIODS_AT_ONCE", 2)
    driven = systems.get("forced-duffing", alpha=2.0, beta=0.0)
    response = driven.gamma / complex(driven.alpha - driven.omega**2, driven.delta * driven.omega)
    t = 1.3 + torch.linspace(0, 7 * driven.period, 7, dtype=torch.float64)
    phase = torch.polar(torch.ones_like(t), driven.omega * t)
    exact = torch.stack([(response * phase).real, (1j * driven.omega * response * phase).real], -1)
    assert_close(driven.orbit(exact[0], t).z, exact, rtol=0, atol=1e-11)


@pytest.mark.parametrize("tolerance", [{"rtol": -1e-9}, {"atol": float("nan")}, {"rtol": 0.0, "atol": 0.0}])
def test_tolerances_that_make_no_sense_are_refused(harmonic_oscillator, tolerance):
    with pytest.raises(InputError, match="rtol and atol must be positive"):
        harmonic_oscillator.orbit([1.0, 0.0], [0.0, 1.0], **tolerance)


# what the scales are taken from


def test_the_fastest_rate_is_the_frequency_of_an_oscillator_in_any_units(in_units):
    oscillator = systems.get("harmonic-oscillator", frequency=3.0)
    for units in UNITS:
        other = in_units(oscillator, *units)
        z = torch.tensor([1.0, 0.0]) * other.size
        matrix = known_jacobian(lambda z: other.vector_field(0.0, z), z)  # noqa: B023
        assert float(fastest_rate(matrix)) * other.time == pytest.approx(3.0, rel=1e-9)
        size = natural_size(z, other.vector_field(0.0, z), matrix)
        assert_close(size / other.size, torch.tensor([1.0, 3.0]).double(), rtol=1e-9, atol=0)


def test_damping_counts_only_where_it_is_asked_for():
    matrix = torch.tensor([[-100.0, 0.0], [0.0, 2.0]])
    assert (float(fastest_rate(matrix)), float(fastest_rate(matrix, damping=False))) == (100.0, 2.0)


@dataclass(frozen=True)
class Opaque(System):
    """A field that torch cannot see through."""

    name = "opaque"
    coordinates = ("q", "p")

    def vector_field(self, t, z):
        q, p = z.detach().numpy().T
        return torch.stack([torch.as_tensor(p), torch.as_tensor(-q)], -1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


def test_a_field_that_torch_cannot_differentiate_is_followed_all_the_same():
    t = torch.linspace(0, 10, 3, dtype=torch.float64)
    assert_close(Opaque().orbit([[1.0, 0.0]], t).z[0], torch.stack([t.cos(), -t.sin()], -1), rtol=0, atol=1e-11)


# the caller's autograd mode


@pytest.mark.parametrize("name", systems.names())
def test_every_system_moves_in_inference_mode_as_outside(name):
    system = systems.get(name)
    z0, t = system.sample(2), torch.tensor([0.0, 0.3], dtype=torch.float64)
    expected, field = system.orbit(z0, t), system.vector_field(0.0, z0)
    for mode in (torch.inference_mode, torch.no_grad):
        with mode():
            orbit, same = system.orbit(z0.clone(), t.clone()), system.vector_field(0.0, z0.clone())
        assert torch.equal(orbit.z, expected.z)
        assert torch.equal(orbit.rate, expected.rate)
        assert torch.equal(same, field)
        assert not orbit.z.is_inference()
        assert not orbit.rate.is_inference()


class Quartic(systems.SeparableSystem):
    name = "quartic"
    coordinates = ("q", "p")

    def potential(self, q):
        return q.pow(4).sum(-1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


class General(HamiltonianSystem):
    name = "general"
    coordinates = ("q", "p")

    def hamiltonian(self, z):
        return (z.square() + 1).prod(-1) / 2

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


def test_what_is_known_by_its_energy_alone_has_the_right_field_in_inference_mode():
    with torch.inference_mode():
        z = torch.tensor([0.5, 2.0], dtype=torch.float64)
        force, velocity = Quartic().force(z[:1]), Quartic().velocity(z[1:])
        field = General().vector_field(0.0, z)
    assert_close(force, torch.tensor([-4 * 0.5**3]).double())
    assert_close(velocity, torch.tensor([2.0]).double())
    assert_close(field, torch.tensor([1.25 * 2, -5 * 0.5]).double())
