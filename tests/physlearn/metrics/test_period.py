"""Period, amplitude and action of an oscillation."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import ellipe, ellipk
from torch.testing import assert_close

import systems
from physlearn.metrics import action, amplitude, period
from systems import InputError, Orbit


def sine(t, length, height=1.0, lag=0.0, middle=0.0):
    return Orbit(t, (middle + height * torch.sin(2 * math.pi * (t - lag) / length))[:, None])


@pytest.fixture(scope="module")
def limit_cycle():
    """Two orbits of the van der Pol oscillator, mu = 2.7, after their transient."""
    z0 = torch.tensor([[2.0, 0.0], [0.5, -1.0]])
    return systems.get("van-der-pol").orbit(z0, torch.arange(0, 60, 0.02))[..., 1000:]


@pytest.mark.parametrize("known", ["rates", "states"])
def test_the_limit_cycle_of_van_der_pol(limit_cycle, known):
    orbit = limit_cycle if known == "rates" else replace(limit_cycle, rate=None)
    expected = torch.ones(2, dtype=torch.float64)
    assert_close(period(orbit), 8.4745354180 * expected, rtol=1e-8, atol=0)
    assert_close(amplitude(orbit), 2.0228740434 * expected, rtol=1e-7, atol=0)
    assert_close(amplitude(orbit, "v"), 4.68573756 * expected, rtol=1e-4, atol=0)  # a sharp peak
    assert_close(2 * math.pi * action(orbit), 19.319846 * expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("swing", [0.1, math.pi / 2, 3.0])
def test_the_pendulum_has_the_period_and_action_of_elliptic_integrals(swing):
    k2 = math.sin(swing / 2) ** 2
    orbit = systems.get("pendulum").orbit(torch.tensor([swing, 0.0]), torch.arange(0, 50, 0.05))
    assert float(period(orbit)) == pytest.approx(4 * ellipk(k2), rel=1e-6)
    assert float(amplitude(orbit)) == pytest.approx(swing, rel=1e-6)
    assert float(action(orbit)) == pytest.approx(8 / math.pi * (ellipe(k2) - (1 - k2) * ellipk(k2)), rel=1e-5)


@pytest.mark.parametrize("frequency", [0.5, 2.0])
def test_the_action_of_a_harmonic_oscillator_is_its_energy_over_its_frequency(frequency):
    oscillator = systems.get("harmonic-oscillator", frequency=frequency)
    z0 = oscillator.sample(3)
    orbit = oscillator.orbit(z0, torch.arange(0, 60, 0.1))
    assert_close(action(orbit), oscillator.hamiltonian(z0) / frequency, rtol=1e-5, atol=0)


@given(
    length=st.floats(0.5, 5),
    height=st.floats(1e-6, 1e6),
    lag=st.floats(0, 5),
    middle=st.floats(-3, 3),
    direction=st.booleans(),
)
@example(length=1.7, height=1.7, lag=1.7, middle=1.5, direction=False)  # it crosses its middle at samples
def test_period_and_amplitude_do_not_depend_on_where_and_when_it_swings(length, height, lag, middle, direction):
    t = torch.linspace(-3, 17, 1001, dtype=torch.float64)
    orbit = sine(t if direction else t.flip(0), length, height, lag, middle * height)
    assert float(period(orbit)) == pytest.approx(length, rel=1e-5)
    assert float(amplitude(orbit)) == pytest.approx(height, rel=1e-4)


@pytest.mark.parametrize("step", [0.2, 0.1, 0.05])
def test_extremes_between_the_samples_are_found_to_fourth_order_in_the_step(step):
    t = torch.arange(-5, 25, step, dtype=torch.float64)
    bound = 5 / 384 * (math.pi * step) ** 4  # of a cubic spline through a sine of period 2
    assert abs(float(amplitude(sine(t, 2.0, lag=0.037))) - 1) < bound


def test_uneven_times_do_no_harm():
    random = torch.Generator().manual_seed(0)
    t = (0.01 + 0.04 * torch.rand(800, generator=random, dtype=torch.float64)).cumsum(0)
    assert float(period(sine(t, 3.0))) == pytest.approx(3.0, rel=1e-6)


def test_noise_about_the_middle_is_no_swing():
    random = torch.Generator().manual_seed(0)
    t = torch.linspace(0, 100, 20001, dtype=torch.float64)
    orbit = sine(t, 2.0)
    noisy = Orbit(t, orbit.z + 0.02 * torch.randn(orbit.z.shape, generator=random, dtype=torch.float64))
    crossings = ((noisy.z[1:] > 0) & (noisy.z[:-1] <= 0)).sum()
    assert crossings > 60  # of 50 true ones
    assert float(period(noisy)) == pytest.approx(2.0, rel=1e-3)


def test_what_does_not_oscillate_has_no_period():
    t = torch.linspace(0, 10, 101, dtype=torch.float64)
    still, growing, once = (torch.ones_like(t), t.exp(), torch.sin(2 * math.pi * t / 9))
    z = torch.stack([still, growing, once])[..., None]
    assert torch.isnan(period(Orbit(t, z))).all()
    assert torch.isnan(amplitude(Orbit(t, z[:2]))).all()
    assert torch.isnan(action(Orbit(t, z.expand(3, -1, 2)))).all()
    assert torch.isnan(period(Orbit(t[:2], z[:, :2]))).all()


def test_an_orbit_that_diverges_has_no_period_and_leaves_the_others_alone():
    t = torch.linspace(0, 20, 401, dtype=torch.float64)
    z = torch.stack([t.sin(), t.cos()], -1).repeat(2, 1, 1)
    z[0, 300:] = torch.inf
    rates = torch.stack([t.cos(), -t.sin()], -1).repeat(2, 1, 1)
    for orbit in (Orbit(t, z), Orbit(t, z, rate=rates)):
        for measure, value in ((period, 2 * math.pi), (amplitude, 1.0), (action, 0.5)):
            found = measure(orbit)
            assert torch.isnan(found[0])
            assert float(found[1]) == pytest.approx(value, rel=1e-5)


def test_what_was_not_measured_does_not_count_and_orbits_may_have_times_of_their_own():
    t = torch.stack([torch.linspace(0, 20, 401), torch.linspace(5, 45, 401)]).double()
    z, rates = torch.stack([t.sin(), t.cos()], -1), torch.stack([t.cos(), -t.sin()], -1)
    z[0, [0, 100, 101, 203]] = torch.nan
    rates[0, [0, 100, 101, 203]] = torch.nan
    for orbit in (Orbit(t, z), Orbit(t, z, rate=rates), Orbit(t[0], z[0])):
        for measure, value in ((period, 2 * math.pi), (amplitude, 1.0), (action, 0.5)):
            found = measure(orbit)
            assert_close(found, torch.full_like(found, value), rtol=1e-4, atol=0)
    z[..., 1] = torch.nan  # the momentum was never measured
    assert_close(period(Orbit(t, z)), torch.full((2,), 2 * math.pi, dtype=torch.float64), rtol=1e-4, atol=0)
    assert action(Orbit(t, z)).isnan().all()


def test_batches_keep_their_shape_and_type():
    t = torch.linspace(0, 20, 401)
    lengths = torch.tensor([[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]])
    orbit = Orbit(t, torch.sin(2 * math.pi * t / lengths[..., None])[..., None])
    assert_close(period(orbit), lengths, rtol=1e-5, atol=0)


def test_wrong_coordinates_are_refused():
    t = torch.linspace(0, 20, 401)
    orbit = Orbit(t, torch.stack([t.sin(), t.cos(), t], -1), coordinates=("x", "y", "w"))
    for wrong in ("z", 3, -4):
        with pytest.raises(InputError, match="x, y, w"):
            period(orbit, wrong)
    with pytest.raises(InputError, match="two coordinates, not 3"):
        action(orbit)
