"""Period, amplitude and action across gaps, of small swings, and of angles that turn."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ellipe, ellipk
from torch.testing import assert_close

import systems
from physlearn.metrics import action, amplitude, period
from systems import Orbit


def oscillation(t, length=3.0, height=1.0, rates=False):
    w = 2 * math.pi / length
    z = height * torch.stack([(w * t).sin(), w * (w * t).cos()], -1)
    rate = height * torch.stack([w * (w * t).cos(), -(w**2) * (w * t).sin()], -1)
    return Orbit(t, z, rate if rates else None, coordinates=("q", "p"))


def without(t, *gaps):
    for start, length in gaps:
        t = t[(t < start) | (t > start + length)]
    return t


FINE = torch.arange(0, 60, 0.05, dtype=torch.float64)
GAPS = [[(20.0, 12.3)], [(20.0, 1.0)], [(20.0, 2.0), (35.0, 4.4)], [(0.5, 4.0)], [(20.0, 3.0), (24.0, 3.0), (40.0, 13.0)]]


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("start", [0.0, 1.36e9])
def test_what_is_missing_does_not_change_period_amplitude_and_action(gaps, rates, start):
    orbit = oscillation(without(FINE, *gaps), rates=rates)
    orbit = Orbit(orbit.t + start, orbit.z, orbit.rate, coordinates=("q", "p"))
    # times of 1.36e9 are known to 2e-7
    assert float(period(orbit)) == pytest.approx(3.0, rel=1e-5)
    assert float(amplitude(orbit)) == pytest.approx(1.0, rel=1e-4)
    assert float(action(orbit)) == pytest.approx(math.pi / 3, rel=1e-4)  # w A^2 / 2


def test_a_gap_of_a_few_coarse_steps_hides_a_period_too():
    coarse = torch.arange(0, 90, 0.3, dtype=torch.float64)
    assert float(period(oscillation(without(coarse, (20.0, 3.5), (50.0, 3.5))))) == pytest.approx(3.0, rel=1e-3)


@given(seed=st.integers(0, 10**6), unit=st.floats(-12, 12), clock=st.floats(-12, 12))
def test_dropped_samples_do_no_harm_in_any_unit(seed, unit, clock):
    kept = torch.rand(len(FINE), generator=torch.Generator().manual_seed(seed)) > 0.1
    size, tick = 10.0**unit, 10.0**clock
    orbit = oscillation(FINE[kept], height=size)
    orbit = Orbit(tick * orbit.t, orbit.z, coordinates=("q", "p"))
    assert float(period(orbit)) == pytest.approx(3.0 * tick, rel=1e-4)
    assert float(amplitude(orbit)) == pytest.approx(size, rel=1e-3)
    assert float(action(orbit)) == pytest.approx(math.pi / 3 * size**2, rel=1e-3)


def test_stretches_without_a_whole_period_tell_none():
    pieces = [torch.arange(k * 10.0, k * 10.0 + 2.5, 0.05, dtype=torch.float64) for k in range(6)]
    orbit = oscillation(torch.cat(pieces))
    assert math.isnan(float(period(orbit)))
    assert math.isnan(float(action(orbit)))


def test_gaps_of_one_orbit_are_those_of_the_batch_and_the_shape_stays():
    t = without(FINE, (20.0, 12.3))
    one, other = oscillation(t, 3.0), oscillation(t, 5.0)
    batch = Orbit(t, torch.stack([one.z, other.z])[:, None])
    assert_close(period(batch), torch.tensor([[3.0], [5.0]], dtype=torch.float64), rtol=1e-6, atol=0)
    assert period(batch[:0]).shape == (0, 1)


@pytest.mark.parametrize(("small", "length"), [(0.3, 2.0), (0.22, 2.0), (0.18, 4.0), (0.05, 4.0)])
def test_a_swing_counts_from_a_fifth_of_the_largest_on(small, length):
    # sines of the period 2, of which every other one is small: the small one is a swing, or noise about the middle
    t = torch.arange(0, 41, 0.01, dtype=torch.float64)
    height = torch.where((t / 2).floor() % 2 == 0, 1.0, small)
    orbit = Orbit(t, (height * (math.pi * t).sin())[:, None])
    assert float(period(orbit)) == pytest.approx(length, rel=1e-3)
    assert float(amplitude(orbit)) == pytest.approx((1 + small) / 2 if length == 2 else 1.0, rel=2e-2)


@pytest.mark.parametrize("momentum", [2.5, -2.1])
@pytest.mark.parametrize("recorded", ["counted on", "within a turn", "with a gap"])
def test_a_rotating_pendulum_has_the_period_and_action_of_elliptic_integrals(momentum, recorded):
    pendulum = systems.get("pendulum")
    t = torch.arange(0, 60, 0.05, dtype=torch.float64)
    t = without(t, (20.0, 7.7)) if recorded == "with a gap" else t
    orbit = pendulum.orbit(torch.tensor([0.0, momentum], dtype=torch.float64), t)
    if recorded != "counted on":
        z = orbit.z.clone()
        z[:, 0] = torch.remainder(z[:, 0] + math.pi, 2 * math.pi) - math.pi
        orbit = Orbit(t, z, coordinates=orbit.coordinates, periods=orbit.periods)
    m = 4 / momentum**2  # of p^2/2 + 1 - cos q = momentum^2/2
    assert float(period(orbit)) == pytest.approx(4 / abs(momentum) * ellipk(m), rel=1e-5)
    assert float(action(orbit)) == pytest.approx(2 / math.pi * abs(momentum) * ellipe(m), rel=1e-4)
    assert math.isnan(float(amplitude(orbit)))  # it has no extremes


@pytest.mark.parametrize("swing", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("gap", [0.0, 7.7])
def test_a_libration_recorded_within_a_turn_has_its_period_and_swing(swing, gap):
    t = without(torch.arange(0, 60, 0.05, dtype=torch.float64), (20.3, gap))
    orbit = systems.get("pendulum").orbit(torch.tensor([swing, 0.0]), t)
    z = orbit.z + torch.tensor([math.pi, 0.0])  # about the cut at pi
    z[:, 0] = torch.remainder(z[:, 0] + math.pi, 2 * math.pi) - math.pi
    wrapped = Orbit(orbit.t, z, coordinates=orbit.coordinates, periods=orbit.periods)
    assert float(period(wrapped)) == pytest.approx(4 * ellipk(math.sin(swing / 2) ** 2), rel=1e-5)
    assert float(amplitude(wrapped)) == pytest.approx(swing, rel=1e-4)


def test_what_tumbles_to_and_fro_has_no_period():
    t = torch.arange(0, 60, 0.05, dtype=torch.float64)
    tumbling = Orbit(t, (5 * (0.7 * t).sin())[:, None], coordinates=("a",), periods={"a": 2 * math.pi})
    assert math.isnan(float(period(tumbling)))
    drifting = Orbit(t, tumbling.z + 0.5 * t[:, None], coordinates=("a",), periods={"a": 2 * math.pi})
    assert math.isnan(float(period(drifting)))
    assert float(period(Orbit(t, tumbling.z))) == pytest.approx(2 * math.pi / 0.7, rel=1e-5)  # no angle: it swings


def test_noise_does_not_stop_a_rotation():
    t = torch.arange(0, 60, 0.05, dtype=torch.float64)
    noise = 0.1 * torch.randn(len(t), 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turning = Orbit(t, t[:, None] + noise, coordinates=("a",), periods={"a": 2 * math.pi})
    assert float(period(turning)) == pytest.approx(2 * math.pi, rel=1e-2)
