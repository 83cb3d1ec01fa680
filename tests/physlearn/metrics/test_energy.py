"""Energy along a forecast."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import integrate
from physlearn.metrics import energy_deviation, energy_drift, energy_error, energy_rms
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


def test_what_was_not_measured_does_not_count(oscillator):
    energy = 1 + 0.03 * (T - T[1]) + 0.01 * torch.sin(3 * T)
    lost = torch.zeros(len(T), dtype=torch.bool)
    lost[[0, 40, 41, 150]] = True  # one of them the first, at which the energy would be E
    whole = with_energy(energy)
    z = whole.z.clone()
    z[0, 0], z[40:42], z[150, 1] = torch.nan, torch.nan, torch.nan
    holed, rows = Orbit(T, z, coordinates=("q", "p")), Orbit(T[~lost], whole.z[~lost], coordinates=("q", "p"))
    assert energy_deviation(holed, oscillator).isnan().equal(lost)
    for measure in (energy_error, energy_rms, energy_drift):
        assert_close(measure(holed, oscillator), measure(rows, oscillator))
    # by NumPy, from the energies that are left
    relative = (energy[~lost] - energy[1]) / energy[1]
    assert_close(energy_error(holed, oscillator), relative.abs().max())
    assert float(energy_drift(holed, oscillator)) == pytest.approx(np.polyfit(T[~lost], relative, 1)[0])


def test_orbits_may_have_times_of_their_own(oscillator):
    t = torch.stack([T, 3 * T + 1])
    z = torch.stack([with_energy(1 + 0.02 * (own - own[0])).z for own in t])
    orbits = Orbit(t, z, coordinates=("q", "p"))
    assert_close(energy_drift(orbits, oscillator), torch.full((2,), 0.02, dtype=torch.float64))
    assert_close(energy_error(orbits, oscillator), 0.02 * (t[:, -1] - t[:, 0]))
    assert_close(energy_rms(orbits, oscillator)[1], energy_rms(orbits[1], oscillator))


def test_what_has_no_energy_is_refused(oscillator):
    orbit = with_energy(1 + 0 * T)
    with pytest.raises(InputError, match="van-der-pol has no Hamiltonian"):
        energy_error(orbit, systems.get("van-der-pol"))
    with pytest.raises(InputError, match="one number per state"):
        energy_error(orbit, lambda z: z)
    with pytest.raises(InputError, match="zero energy"):
        energy_error(with_energy(0 * T), oscillator)
    with pytest.raises(InputError, match="needs orbits"):
        energy_error(orbit.z, oscillator)
    with pytest.raises(InputError, match="two times"):
        energy_drift(orbit[..., :1], oscillator)


def parabola(times, p=1.0):
    """Kepler's problem from the pericentre at 1 with the momentum sqrt(2) p: E = p^2 - 1."""
    z0 = torch.tensor([1.0, 0.0, 0.0, math.sqrt(2) * p], dtype=torch.float64)
    return systems.get("kepler").orbit(z0, times)


def test_an_energy_of_zero_is_measured_against_what_the_orbit_exchanges():
    # along a parabola the potential -1/r rises from -1: the exchanged energy is 1 - 1/r at the end
    kepler = systems.get("kepler")
    truth = parabola(T)
    near = parabola(T, math.sqrt(1.004))  # E = .004 is below a hundredth of that
    assert float(energy_error(near, lambda z: kepler.hamiltonian(z) + 1e-4 * (z[..., 1] > 0))) == pytest.approx(
        1e-4 / (1 - 1 / float(near.z[-1, :2].norm())), rel=1e-3
    )
    exchanged = 1 - 1 / float(truth.z[-1, :2].norm())
    assert float(energy_error(truth, kepler)) < 1e-11
    z = truth.z.clone()
    z[100:, 2:] *= 1.01
    kinetic = truth.z[100:, 2:].square().sum(-1) / 2
    expected = 0.0201 * float(kinetic.max()) / exchanged
    assert float(energy_error(Orbit(T, z), kepler)) == pytest.approx(expected, rel=1e-6)
    assert abs(float(energy_drift(truth, kepler))) < 1e-11
    assert float(energy_rms(truth, kepler)) < 1e-11


@pytest.mark.parametrize("energy", [-0.3, -0.02, 0.02, 0.5])
def test_an_energy_that_is_not_small_divides_by_itself(energy):
    # Kepler exchanges at most 1 here: more than a hundredth of it is not small
    orbit = parabola(torch.linspace(0, 10, 101, dtype=torch.float64), math.sqrt(1 + energy))
    shifted = energy_error(orbit, lambda z: systems.get("kepler").hamiltonian(z) + 1e-3 * z[..., 0].clamp(max=0))
    off = 1e-3 * float(orbit.z[..., 0].min())
    assert float(shifted) == pytest.approx(abs(off / energy), rel=1e-6)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_the_error_at_zero_energy_is_the_same_in_any_unit_and_single_precision_adds_its_rounding(unit):
    kepler = systems.get("kepler")
    orbit = parabola(T)
    scaled = lambda z: unit * kepler.hamiltonian(z)  # noqa: E731
    assert float(energy_error(orbit, scaled)) < 1e-11
    assert float(energy_error(orbit.to(torch.float32), kepler)) < 1e-5


def test_a_forecast_that_gains_energy_is_not_excused_by_what_it_then_exchanges(oscillator):
    # from (1, 0) by Euler's method: both parts of the energy grow without bound, the first energy is 1/2
    t = torch.linspace(0, 100, 1001, dtype=torch.float64)
    orbit = integrate(oscillator, torch.tensor([1.0, 0.0], dtype=torch.float64), t, "euler")
    assert float(energy_error(orbit, oscillator)) == pytest.approx(1.01**1000 - 1)


def test_a_forecast_that_jumps_far_away_is_not_excused_by_the_energy_there(oscillator):
    z = torch.stack([T.cos(), -T.sin()], -1)
    z[100:] = torch.tensor([1e6, 0.0], dtype=torch.float64)
    assert float(energy_error(Orbit(T, z), oscillator)) == pytest.approx(1e12, rel=1e-6)


def test_energies_near_and_far_from_zero_share_a_batch():
    kepler = systems.get("kepler")
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    orbits = Orbit.stack([parabola(t), parabola(t, 1.2)])
    both = energy_error(orbits, kepler)
    assert_close(both, torch.stack([energy_error(orbit, kepler) for orbit in orbits]))
    assert energy_deviation(orbits, kepler).shape == (2, 51)


def test_a_drift_is_the_same_at_any_start_and_in_any_unit_of_time(oscillator):
    energy = 1 + 0.01 * (T - T[0])
    for start, unit in ((1.36e9, 1.0), (0.0, 1e-12), (0.0, 1e12)):
        assert float(energy_drift(with_energy(energy, start + unit * T), oscillator)) == pytest.approx(0.01 / unit, rel=1e-6)


def test_the_mean_square_is_over_time_at_uneven_times(oscillator):
    t = torch.linspace(0, 1, 2001, dtype=torch.float64) ** 3  # most samples are early
    energy = torch.where(t < 0.5, 1.0, 1.2)
    assert float(energy_rms(with_energy(energy, t), oscillator)) == pytest.approx(0.2 * math.sqrt(0.5), rel=1e-2)
