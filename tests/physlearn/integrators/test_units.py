"""Every method has the same orbits in any units, at any time, and in any autograd mode."""

import math

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, integrate, integrators
from physlearn.integrators import fixed_point

UNITS = [(1e-12, 1e-12, 1e-12), (1e12, 1e12, 1e12), (1e-11, 1e-24, 1e-14), (1.5e11, 1e29, 1e7)]
SEPARABLE = ("leapfrog", "yoshida-4", "yoshida-6")


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def told(orbit):
    return orbit.provenance["integrator"]


def system_for(method):
    return systems.get("henon-heiles" if method in SEPARABLE else "tao-oscillator")


@pytest.mark.parametrize("units", UNITS, ids=str)
@pytest.mark.parametrize("method", integrators.names())
def test_every_method_has_the_same_orbits_in_any_units(method, units, in_units):
    system = system_for(method)
    other = in_units(system, *units)
    z0, t = system.sample(2), f64(0.0, 0.05, 0.1, 1.0)
    # the springs of tao-4 differ between units, as told below, and so do its errors: steps that keep these small
    fine, scaled = ({"dt": 0.025}, {"dt": 0.025 * other.time}) if method == "tao-4" else ({}, {})
    expected = integrate(system, z0, t, method, **fine)
    found = integrate(other, z0 * other.size, t * other.time, method, **scaled)
    # tao-4 takes the ratio of the sizes to the nearest power of 64, so that its copies are bound by up to 8 times as much
    assert_close(found.z / other.size, expected.z, rtol=0, atol={"dopri8": 1e-8, "tao-4": 1e-3}.get(method, 1e-9))
    if method != "dopri8":
        assert told(found)["substeps"] == told(expected)["substeps"]
    if method not in ("dopri8", "tao-4"):
        assert told(found)["accuracy"]["step_error"] == pytest.approx(told(expected)["accuracy"]["step_error"], rel=0.05)


@pytest.mark.parametrize("units", UNITS, ids=str)
def test_the_copies_of_tao_stay_together_in_any_units(units, in_units, tao_oscillator):
    other = in_units(tao_oscillator, *units)
    t = torch.linspace(0, 2, 101, dtype=torch.float64)
    orbit = integrate(other, f64(1.2, -0.4) * other.size, t * other.time, "tao-4")
    area = other.length * other.momentum
    assert told(orbit)["copy_gap"] / area**0.5 < 0.05
    exact = tao_oscillator.orbit(f64(1.2, -0.4), t).z
    assert_close(orbit.z / other.size, exact, rtol=0, atol=2e-3)


@pytest.mark.parametrize("method", ["implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"])
def test_coordinates_that_are_zero_and_forces_that_cancel_are_solved_to_rounding(method):
    """Two equal oscillators in other units; one coordinate stays zero, one is moved by the rounding of forces that cancel."""

    def field(t, z):
        q, p, r, s, _, _ = z.unbind(-1)
        return torch.stack([p, -q, s, -r, 0 * q, 1e8 * (0.3 * q - r)], -1)

    z = integrate(field, f64(1.0, 0.0, 0.3, 0.0, 0.0, 0.0), torch.arange(50).double() * 0.1, method, substeps=1).z
    assert torch.equal(z[:, 4], torch.zeros(50, dtype=torch.float64))
    assert float(z[:, 5].abs().max()) < 1e-6
    energy = z[:, :2].square().sum(-1)
    assert_close(energy, torch.ones(50).double(), rtol=0, atol=1e-13)


def test_a_change_that_no_longer_shrinks_is_rounding_only_when_it_is_small():
    """A map that flips between two values a few hundred epsilons apart is solved; one that does so at 1e-8 is not."""
    for size, solved in ((1e-13, True), (1e-8, False)):
        flips = lambda x: torch.where(x > 1, f64(1.0), f64(1 + size))  # noqa: B023, E731
        _, done = fixed_point.solve(flips, f64(1.0), f64(1.0), None)
        assert bool(done) is solved


@pytest.mark.parametrize("method", ["rk4", "gauss-legendre-4"])
@pytest.mark.parametrize("periods", [0, 10**5])
def test_a_drive_keeps_its_phase_in_float32_after_many_periods(method, periods):
    driven = systems.get("forced-duffing")
    start = periods * driven.period
    t = start + torch.linspace(0, 5, 51, dtype=torch.float64)
    z0 = driven.sample(3)
    orbit = integrate(driven, z0.float(), t, method)
    assert (orbit.t.dtype, orbit.z.dtype) == (torch.float64, torch.float32)
    assert_close(orbit.z.double(), driven.orbit(z0, t - start).z, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", ["rk4", "gauss-legendre-4", "dopri8"])
def test_a_drive_keeps_its_phase_at_epoch_seconds(method):
    driven = systems.get("forced-duffing", omega=2 * math.pi)
    z0, t = driven.sample(2), torch.linspace(0, 2, 41, dtype=torch.float64)
    assert_close(integrate(driven, z0, 1.36e9 + t, method).z, integrate(driven, z0, t, method).z, rtol=0, atol=1e-5)


def test_rates_from_a_time_in_float64_leave_float32_states_what_they_are():
    orbit = integrate(lambda t, z: t.cos().expand_as(z), torch.zeros(3, 1), torch.linspace(0, 1, 11), "rk4")
    assert orbit.z.dtype == torch.float32
    assert_close(orbit.z[:, -1].double(), torch.full((3, 1), math.sin(1.0)).double(), rtol=0, atol=1e-6)


class General(systems.HamiltonianSystem):
    """Known by its energy alone."""

    name = "general"
    coordinates = ("q", "p")

    def hamiltonian(self, z):
        return (z.square() + 1).prod(-1) / 2

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


class Quartic(systems.SeparableSystem):
    name = "quartic"
    coordinates = ("q", "p")

    def potential(self, q):
        return q.pow(4).sum(-1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
@pytest.mark.parametrize("method", integrators.names())
def test_every_method_gives_the_same_orbit_in_any_autograd_mode(method, mode):
    system = Quartic() if method in SEPARABLE else General()
    z0, t = f64(0.8, -0.3), f64(0.0, 0.5, 1.0)
    expected = integrate(system, z0, t, method)
    with mode():
        orbit = integrate(system, z0.clone(), t.clone(), method)
    assert torch.equal(orbit.z, expected.z)
    assert float((orbit.z[-1] - z0).abs().max()) > 0.1
    assert not orbit.z.is_inference()


@pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")  # the step is long on purpose
def test_newtons_method_solves_in_inference_mode():
    field = lambda t, z: -500.0 * z  # noqa: E731
    with torch.inference_mode():
        end = integrate(field, f64(1.0), f64(0.0, 0.1), "implicit-midpoint", substeps=1).z[-1]
    assert float(end) == pytest.approx((1 - 25) / (1 + 25), abs=1e-12)


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-separable", "linear", "cubic"])
def test_a_forecaster_gives_the_same_in_any_autograd_mode(model):
    oscillator, t = systems.get("harmonic-oscillator"), torch.linspace(0, 2, 21, dtype=torch.float64)
    f = Forecaster(model, hidden=(8,), activation="tanh", seed=0)
    f.fit(oscillator.orbit(oscillator.sample(5), t), epochs=2, progress=False)
    z0 = oscillator.sample(2)
    expected = f.forecast(z0, t).z, f.vector_field(0.0, z0)
    for mode in (torch.inference_mode, torch.no_grad):
        f._copies = {}  # as in a new process that begins in this mode
        with mode():
            found = f.forecast(z0.clone(), t).z, f.vector_field(0.0, z0.clone())
        for a, b in zip(found, expected, strict=True):
            assert torch.equal(a, b)
            assert not a.is_inference()
    assert torch.func.jvp(lambda z: f.vector_field(0.0, z), (z0,), (z0,))[1].abs().max() > 0
