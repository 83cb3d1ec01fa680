"""Chaos under a drive: the field depends on time, or its phase is a coordinate."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.testing import assert_close

import systems
from physlearn.chaos import lyapunov_exponents, poincare_section, sali

DOUBLE = torch.float64


@pytest.fixture(scope="module")
def driven():
    return systems.get("forced-duffing")


@pytest.fixture(scope="module")
def suspended(driven):
    return systems.Suspension(driven)


def test_crossings_of_a_driven_orbit_lie_on_the_exact_orbit(driven):
    z0 = torch.tensor([[0.3, 0.1], [-1.2, 0.4]], dtype=DOUBLE)
    section = poincare_section(driven, z0, 20, surface=("v", 0.0), dt=0.01)
    assert len(section) > 5
    for orbit, t, z in zip(section.orbit, section.t, section.z, strict=True):
        exact = driven.orbit(z0[orbit], torch.stack([torch.zeros((), dtype=DOUBLE), t])).z[-1]
        assert_close(z, exact, atol=1e-6, rtol=0)


def test_the_stroboscopic_section_sees_the_orbit_once_a_period(driven, suspended):
    z0 = driven.sample(3, seed=0)
    section = poincare_section(suspended, suspended.at(0.0, z0), 5.5 * driven.period, surface=("sin", 0.0), dt=0.02)
    t = torch.arange(6, dtype=DOUBLE) * driven.period
    strobe = driven.orbit(z0, t).z[:, 1:]
    for k in range(3):
        assert_close(section.t[section.orbit == k], t[1:], atol=1e-7, rtol=0)
        assert_close(section.of(k)[:, :2], strobe[k], atol=1e-5, rtol=0)


def test_the_exponents_of_driven_field_and_suspension_agree_and_sum_to_the_friction(driven, suspended):
    z0 = torch.tensor([0.3, 0.1], dtype=DOUBLE)
    own = lyapunov_exponents(driven, z0, 20, dt=0.1, k=2)
    four = lyapunov_exponents(suspended, suspended.at(0.0, z0), 20, dt=0.1, k=4)
    assert own.sum() == pytest.approx(-driven.delta, abs=1e-4)
    assert four.sum() == pytest.approx(-driven.delta, abs=1e-3)
    assert (four[1:3].abs() < 0.1).all()  # the phase neither grows nor shrinks; its radius neither


@pytest.mark.slow
def test_the_largest_exponent_under_the_usual_drive_is_that_of_another_solver(driven):
    """Orbits and deviations by SciPy's DOP853, of which no line is shared; both within three standard errors."""
    ours = lyapunov_exponents(driven, driven.sample(100, seed=0), 500, dt=0.05, transient=50)[:, 0]
    theirs = torch.from_numpy(by_scipy(driven.sample(40, seed=1).numpy(), transient=200, time=1000))
    errors = [values.std() / len(values) ** 0.5 for values in (ours, theirs)]
    assert abs(ours.mean() - theirs.mean()) < 3 * math.hypot(*errors)
    assert max(errors) < 0.004
    assert theirs.mean() == pytest.approx(0.1, abs=0.02)


def by_scipy(z0, transient, time, step=10):
    """The largest exponent of each orbit, its deviation made a unit vector again after each step."""
    n = len(z0)

    def field(t, y):
        x, v, dx, dv = y.reshape(4, n)
        return np.concatenate([v, 0.5 * np.cos(1.2 * t) - 0.3 * v + x - x**3, dv, (1 - 3 * x**2) * dx - 0.3 * dv])

    y, growth = np.concatenate([z0.T.ravel(), np.ones(n), np.zeros(n)]), np.zeros(n)
    for start in range(0, transient + time, step):
        y = solve_ivp(field, (start, start + step), y, method="DOP853", rtol=1e-9, atol=1e-9).y[:, -1]
        length = np.hypot(*y.reshape(4, n)[2:])
        y[2 * n :] /= np.tile(length, 2)
        growth += np.log(length) * (start >= transient)
    return growth / time


def test_the_alignment_index_takes_the_time_along(driven):
    """With one degree of freedom and friction all deviations align; the rate of it is the gap of the exponents."""
    z0 = torch.tensor([0.3, 0.1], dtype=DOUBLE)
    exponents = lyapunov_exponents(driven, z0, 20, dt=0.1, k=2)
    index = sali(driven, z0, 20, dt=0.1)
    assert math.log(index) == pytest.approx(-float(exponents.diff().abs()) * 20, abs=3)
