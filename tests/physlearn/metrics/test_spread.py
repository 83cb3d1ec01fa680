"""How far coordinates spread along an orbit."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch.testing import assert_close

from physlearn.metrics.spread import spreads, time_weights
from systems import InputError, Orbit

T = torch.arange(1000, dtype=torch.float64) * 2 * torch.pi / 100  # ten whole periods of a sine
exponents = st.floats(-12, 12)


def spread(x, t=T, period=None):
    orbit = Orbit(t, x[..., None], coordinates=("x",), periods={} if period is None else {"x": period})
    return spreads(orbit)[..., 0]


@given(unit=exponents, clock=exponents, origin=st.floats(-1e6, 1e6))
def test_a_sine_has_its_amplitude_over_the_root_of_two_in_any_unit_about_any_origin(unit, clock, origin):
    size = 10.0**unit
    assert float(spread(size * (origin + T.sin()), 10.0**clock * T)) == pytest.approx(size / math.sqrt(2), rel=1e-9)


@pytest.mark.parametrize("noise", [0.0, 1e-16, 1e-13])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_what_is_constant_to_rounding_has_no_spread(noise, unit):
    jitter = noise * torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert spread(unit * (0.3 + jitter)) == 0
    assert spread((unit * (0.3 + jitter)).float()) == 0
    assert spread(unit * (0.3 + 1e-9 * T.sin())) > 0  # a small oscillation is none


def test_single_precision_has_a_spread_where_it_resolves_one():
    assert float(spread((1000 + T.sin()).float())) == pytest.approx(math.sqrt(0.5), rel=1e-4)
    assert spread((1e7 + 0.1 * T.sin()).float()) == 0


@pytest.mark.parametrize("turns", [1, 7, -30])
@pytest.mark.parametrize("period", [2 * math.pi, 360.0, 1e-9])
def test_a_rotation_has_the_spread_of_a_uniform_angle_however_often_it_turns(turns, period):
    angle = turns * period * torch.arange(1000, dtype=torch.float64) / 1000
    assert float(spread(angle, period=period)) == pytest.approx(period / math.sqrt(12), rel=1e-3)
    assert float(spread(angle.remainder(period), period=period)) == pytest.approx(period / math.sqrt(12), rel=1e-3)


@given(middle=st.floats(-50, 50), height=st.floats(1e-6, 1.5))
def test_an_angle_that_librates_has_its_usual_standard_deviation_wherever_it_is_cut(middle, height):
    angle = middle + height * T.sin()
    wrapped = (angle + math.pi).remainder(2 * math.pi) - math.pi
    for x in (angle, wrapped):
        assert float(spread(x, period=2 * math.pi)) == pytest.approx(height / math.sqrt(2), rel=1e-6)


@given(seed=st.integers(0, 10**6))
def test_no_centre_of_the_circle_is_nearer(seed):
    random = np.random.default_rng(seed)
    angles = random.choice([0.3, 1.0, 3.0]) * random.standard_normal(20) + random.uniform(0, 6)
    weights = random.uniform(0.5, 1.5, 20).cumsum()  # as uneven times
    t = torch.from_numpy(weights)
    share = time_weights(t).numpy()

    def square(c):
        return float((share * ((angles - c + 180) % 360 - 180) ** 2).sum())

    degrees = np.rad2deg(angles)
    angles = degrees
    best = min(minimize_scalar(square, bounds=(c, c + 20), method="bounded").fun for c in range(0, 360, 20))
    assert float(spread(torch.from_numpy(degrees), t, 360.0)) == pytest.approx(math.sqrt(best), rel=1e-4)


def test_orbits_of_a_batch_have_spreads_of_their_own_and_an_empty_batch_none():
    heights = torch.tensor([[1.0, 2.0], [3.0, 0.0]], dtype=torch.float64)
    assert_close(spread(heights[..., None] * T.sin()), heights / math.sqrt(2))
    assert spread(torch.zeros(0, 3, 1000, dtype=torch.float64), period=1.0).shape == (0, 3)


def test_samples_count_by_their_time_and_not_across_a_gap():
    assert_close(time_weights(T), torch.full_like(T, 1e-3))
    assert_close(time_weights(100 - T), torch.full_like(T, 1e-3))
    uneven = torch.tensor([0.0, 1.0, 3.0, 4.0], dtype=torch.float64)
    assert_close(time_weights(uneven), torch.tensor([1.0, 1.5, 1.5, 1.0], dtype=torch.float64) / 5)
    gap = torch.tensor([0.0, 1.0, 2.0, 50.0, 51.0, 90.0, 120.0], dtype=torch.float64)
    assert_close(time_weights(gap)[:5], torch.full((5,), float(time_weights(gap)[0]), dtype=torch.float64))
    assert time_weights(gap)[:5].sum() > 0


def test_uneven_times_and_gaps_do_not_bias_the_spread():
    fine, coarse = torch.arange(0, 10 * math.pi, 0.01, dtype=torch.float64), torch.arange(500, 500 + 10 * math.pi, 0.05)
    t = torch.cat([fine, coarse.double()])
    x = torch.where(t < 400, 1.0, -1.0)  # as long at the one as at the other
    assert float(spread(x, t)) == pytest.approx(1.0, rel=1e-3)
    u = torch.linspace(0, 1, 4001, dtype=torch.float64)
    t = 2 * torch.pi * 20 * u**2
    assert float(spread(t.sin(), t)) == pytest.approx(math.sqrt(0.5), rel=1e-3)
    assert float(spread(torch.where(t < t[-1] / 2, 1.0, -1.0), t)) == pytest.approx(1.0, rel=1e-3)


def test_a_period_of_another_coordinate_is_refused():
    with pytest.raises(InputError, match="theta"):
        spreads(Orbit(T, T[:, None], coordinates=("x",)), {"theta": 1.0})
