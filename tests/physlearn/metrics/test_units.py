"""Every metric tells the same of the same motion, whatever the units of its time and of each of its coordinates."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from physlearn import metrics
from systems import Orbit

T = torch.arange(1200, dtype=torch.float64) / 20
ANGLE = 360.0
exponents = st.floats(-12, 12)


def motion(rate):
    """An oscillation of 1.5 about 4, its momentum, and an angle that turns, over 60 times of order one."""
    w = torch.tensor(rate, dtype=torch.float64) * T
    z = torch.stack([4 + 1.5 * w.cos(), -1.5 * rate * w.sin(), ANGLE * (0.31 * w + 0.05 * w.sin())], -1)
    rates = torch.stack([-1.5 * rate * w.sin(), -1.5 * rate**2 * w.cos(), ANGLE * rate * (0.31 + 0.05 * w.cos())], dim=-1)
    return z, rates


def in_units(rate, units, dtype=torch.float64):
    """The motion in units of the time and each coordinate."""
    z, rates = motion(rate)
    clock, sizes = units[0], torch.tensor(units[1:], dtype=torch.float64)
    return Orbit(
        (clock * T).to(dtype),
        (sizes * z).to(dtype),
        (sizes * rates / clock).to(dtype),
        ("q", "p", "a"),
        {},
        {"a": ANGLE * units[3]},
    )


def plane(orbit):
    return Orbit(orbit.t, orbit.z[:, :2], orbit.rate[:, :2], orbit.coordinates[:2])


def energy(units):
    q, p = units[1], units[2]
    return lambda z: (1e-3 + ((z[..., 0] / q - 4).square() + (z[..., 1] / p).square()) / 2) * q * p


def field(units):
    def rates(t, z):
        q, p = (z[..., i] / units[1 + i] for i in (0, 1))
        return torch.stack([1.1 * p * units[1], -1.1 * (q - 4) * units[2]], dim=-1) / units[0]

    return rates


# each with its unit: a power of the time's, and which coordinates'
METRICS = {
    "valid time": (lambda f, z, u: metrics.valid_prediction_time(f, z), lambda u: u[0]),
    "distance": (lambda f, z, u: metrics.distance(f, z), lambda u: 1.0),
    "phase rmse": (lambda f, z, u: metrics.phase_rmse(f, z, [30 * u[0], 59.95 * u[0]]), lambda u: 1.0),
    "phase error": (lambda f, z, u: metrics.phase_error(plane(f), plane(z)), lambda u: 1.0),
    "marginals": (lambda f, z, u: metrics.marginals(f, z), lambda u: 1.0),
    "spectrum": (lambda f, z, u: metrics.spectrum(f, z), lambda u: 1.0),
    "period": (lambda f, z, u: torch.stack([metrics.period(f, name) for name in ("q", "p", "a")]), lambda u: u[0]),
    "amplitude": (lambda f, z, u: metrics.amplitude(f, "p"), lambda u: u[2]),
    "action": (lambda f, z, u: metrics.action(plane(f)), lambda u: u[1] * u[2]),
    "energy error": (lambda f, z, u: metrics.energy_error(plane(f), energy(u)), lambda u: 1.0),
    "energy rms": (lambda f, z, u: metrics.energy_rms(plane(f), energy(u)), lambda u: 1.0),
    "energy drift": (lambda f, z, u: metrics.energy_drift(plane(f), energy(u)), lambda u: 1 / u[0]),
    "Lyapunov times": (lambda f, z, u: metrics.lyapunov_times(30 * u[0], 0.04 / u[0]).double(), lambda u: 1.0),
}


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=10)
@given(powers=st.tuples(exponents, exponents, exponents, exponents))
@example(powers=(-12.0, -12.0, -12.0, -12.0))
@example(powers=(12.0, 12.0, 12.0, 12.0))
@example(powers=(-12.0, 12.0, -12.0, 12.0))
@example(powers=(12.0, -12.0, 12.0, -12.0))
def test_units_do_not_matter(name, powers):
    measure, unit = METRICS[name]
    units, ones = [10.0**power for power in powers], [1.0] * 4
    expected = measure(in_units(1.03, ones), in_units(1.0, ones), ones)
    assert torch.isfinite(expected).all()
    found = measure(in_units(1.03, units), in_units(1.0, units), units)
    assert_close(found / unit(units), expected, rtol=1e-6, atol=1e-6 * float(expected.abs().max()))


@pytest.mark.parametrize("name", [name for name in METRICS if not name.startswith("energy")])
@pytest.mark.parametrize("power", [-12.0, 12.0])
def test_single_precision_loses_its_digits_and_no_more(name, power):
    measure, unit = METRICS[name]
    units, ones = [10.0**power] * 4, [1.0] * 4
    expected = measure(in_units(1.03, ones), in_units(1.0, ones), ones)
    found = measure(in_units(1.03, units, torch.float32), in_units(1.0, units, torch.float32), units)
    assert_close(found.double() / unit(units), expected, rtol=2e-3, atol=2e-3 * float(expected.abs().max()))


@settings(max_examples=10)
@given(powers=st.tuples(exponents, exponents))
def test_a_derivative_loss_is_in_the_unit_of_the_squared_rate(powers):
    unit, clock = (10.0**power for power in powers)
    units, ones = [clock, unit, unit, 1.0], [1.0] * 4
    found, expected = (metrics.derivative_loss(field(u), plane(in_units(1.0, u))) for u in (units, ones))
    assert float(found) == pytest.approx(float(expected) * (unit / clock) ** 2, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_a_derivative_loss_in_single_precision_is_not_lost_in_its_square(unit):
    orbit = plane(in_units(1.0, [1.0, unit, unit, 1.0], torch.float32))
    expected = float(metrics.derivative_loss(field([1.0] * 4), plane(in_units(1.0, [1.0] * 4)))) * unit**2
    assert float(metrics.derivative_loss(field([1.0, unit, unit, 1.0]), orbit)) == pytest.approx(expected, rel=1e-4)
