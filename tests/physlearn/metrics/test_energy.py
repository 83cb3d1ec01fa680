"""Energy along a forecast."""

import math

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import integrate
from physlearn.metrics import energy_drift, energy_error, energy_rms
from systems import InputError, Orbit

T = torch.linspace(0, 20, 201, dtype=torch.float64)


@pytest.fixture
def oscillator():
    return systems.get("harmonic-oscillator")


def with_energy(energy, t=T):
    """An orbit of the harmonic oscillator's coordinates with the energies given."""
    p = (2 * energy).sqrt()
    return Orbit(t, torch.stack([torch.zeros_like(p), p], -1), coordinates=("q", "p"))


def test_explicit_euler_gains_the_factor_1_plus_h_squared_a_step(oscillator):
    orbit = integrate(oscillator, torch.tensor([[1.0, 0.0], [0.3, -2.0]], dtype=torch.float64), T, "euler")
    assert_close(energy_error(orbit, oscillator), torch.full((2,), 1.01**200 - 1, dtype=torch.float64))


def test_leapfrog_errs_by_a_quarter_of_h_squared_and_does_not_drift(oscillator):
    # kick-drift-kick conserves p^2 + (1 - h^2/4) q^2 exactly: from (1, 0), H - E runs between 0 and -h^2/8
    t = torch.linspace(0, 400, 4001, dtype=torch.float64)
    orbit = integrate(oscillator, torch.tensor([1.0, 0.0], dtype=torch.float64), t, "leapfrog")
    assert float(energy_error(orbit, oscillator)) == pytest.approx(0.1**2 / 4, rel=1e-3)
    assert float(energy_rms(orbit, oscillator)) == pytest.approx(0.1**2 / 4 * math.sqrt(3 / 8), rel=1e-2)  # rms of sin^2
    assert abs(float(energy_drift(orbit, oscillator))) < 0.1**2 / 4 / 400 / 20


def test_runge_kutta_drifts_at_a_constant_rate_where_a_symplectic_method_does_not():
    # max |H - E| / E at t = 1000, h = .1: rk4 3.17e-4 (a drift), leapfrog 2.78e-3 (an oscillation), from physics.md
    system = systems.get("henon-heiles")
    z0 = torch.tensor([0.0, 0.1, math.sqrt(2 / 12 - 0.01 + 0.002 / 3), 0.0], dtype=torch.float64)
    t = torch.linspace(0, 200, 2001, dtype=torch.float64)
    runge_kutta, leapfrog = (integrate(system, z0, t, method) for method in ("rk4", "leapfrog"))
    assert float(energy_drift(runge_kutta, system)) == pytest.approx(-3.17e-7, rel=0.25)
    assert float(energy_error(runge_kutta, system)) == pytest.approx(200 * 3.17e-7, rel=0.25)
    assert float(energy_error(leapfrog, system)) == pytest.approx(2.78e-3, rel=0.25)
    assert abs(float(energy_drift(leapfrog, system))) < 0.05 * 2.78e-3 / 200


@pytest.mark.parametrize("shift", [1.0, -3.0])  # a negative energy too: signs come from H - E alone
def test_a_linear_drift_is_found_exactly_at_uneven_times(oscillator, shift):
    t = torch.linspace(1, 3, 50, dtype=torch.float64) ** 2
    energy = 1 + 0.03 * (t - t[0])
    of_z = lambda z: oscillator.hamiltonian(z) + shift  # noqa: E731
    assert float(energy_drift(with_energy(energy, t), of_z)) == pytest.approx(0.03 / abs(1 + shift))
    assert float(energy_error(with_energy(energy, t), of_z)) == pytest.approx(0.03 * 8 / abs(1 + shift))


def test_the_error_is_relative_to_the_first_energy_and_so_the_same_at_any_scale(oscillator):
    energy = 1 + 0.1 * T.sin()
    scales = torch.tensor([1e-6, 1.0, 1e6], dtype=torch.float64)[:, None]
    error = energy_error(with_energy(scales * energy), oscillator)
    assert_close(error, ((energy - 1).abs().max()).expand(3))
    assert_close(energy_rms(with_energy(energy), oscillator), (energy - 1).square().mean().sqrt())


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf, 1e200])
@pytest.mark.parametrize("measure", [energy_error, energy_rms, energy_drift])
def test_an_orbit_that_diverges_has_an_infinite_error_and_leaves_the_others_alone(oscillator, measure, bad):
    z = torch.stack([T.cos(), -T.sin()], -1).repeat(2, 1, 1)
    z[0, 100:] = bad
    error = measure(Orbit(T, z, coordinates=("q", "p")), oscillator)
    assert error[0] == torch.inf
    assert abs(error[1]) < 1e-12


def test_what_has_no_energy_is_refused(oscillator):
    orbit = with_energy(1 + 0 * T)
    with pytest.raises(InputError, match="van-der-pol has no Hamiltonian"):
        energy_error(orbit, systems.get("van-der-pol"))
    with pytest.raises(InputError, match="one number a state"):
        energy_error(orbit, lambda z: z)
    with pytest.raises(InputError, match="zero energy"):
        energy_error(with_energy(0 * T), oscillator)
    with pytest.raises(InputError, match="two times"):
        energy_drift(orbit[..., :1], oscillator)
