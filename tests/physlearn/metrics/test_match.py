"""Which orbits can be compared, at which times, and how angles differ."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from physlearn.metrics import phase_error, phase_rmse, valid_prediction_time
from physlearn.metrics.match import check_match, differences
from systems import InputError, Orbit

TIMES = torch.linspace(0, 10, 101, dtype=torch.float64)


def at(t, z=None):
    return Orbit(t, torch.stack([TIMES.cos(), -TIMES.sin()], -1) if z is None else z, coordinates=("q", "p"))


STARTS = [0.0, -7.0, 1.36e9]  # seconds since 1970 in the last


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e9])
@pytest.mark.parametrize(
    "wrong", [lambda t: t + 600, lambda t: 3 * t, lambda t: t + 0.01, lambda t: t.flip(0), lambda t: t + 1e-3 * t]
)
def test_a_forecast_at_other_times_is_refused_in_any_unit_and_at_any_start(start, unit, wrong):
    truth, forecast = at(unit * (start + TIMES)), at(unit * (start + wrong(TIMES)))
    for measure in (valid_prediction_time, phase_rmse, phase_error):
        with pytest.raises(InputError, match="different times"):
            measure(forecast, truth)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e9])
def test_times_that_were_computed_in_another_way_match(start, unit):
    t = unit * (start + TIMES)
    other = unit * start + torch.arange(101, dtype=torch.float64) * (0.1 * unit)
    check_match(at(other), at(t))
    check_match(at(t.flip(0)), at(other.flip(0)))


def test_times_in_single_precision_match_those_in_double_precision():
    t = torch.arange(101, dtype=torch.float64) / 30 + 1000
    check_match(at(t.float(), at(t).z.float()), at(t))
    check_match(at(t), at(t.float(), at(t).z.float()))
    with pytest.raises(InputError, match="different times"):
        check_match(at((t + 0.01).float()), at(t))


def test_the_smallest_of_uneven_steps_decides_how_near_times_must_be():
    uneven = torch.linspace(1, 10, 101, dtype=torch.float64) ** 3  # steps from 0.28 to 27
    check_match(at(uneven + 1e-4), at(uneven))
    with pytest.raises(InputError, match="different times"):
        check_match(at(uneven + 1e-3), at(uneven))


def test_another_number_of_times_is_another_shape_and_one_time_matches_itself():
    with pytest.raises(InputError, match="shape"):
        check_match(at(TIMES)[..., :50], at(TIMES))
    check_match(at(TIMES)[..., :1], at(TIMES)[..., :1])
    with pytest.raises(InputError, match="different times"):
        check_match(at(TIMES)[..., :1], at(TIMES)[..., 1:2])


@pytest.mark.parametrize("carrier", ["forecast", "truth", "both"])
def test_angles_differ_by_the_shortest_way_whichever_orbit_declares_them(carrier):
    z = torch.tensor([[0.1, 0.0], [3.0, 0.0], [-3.0, 9.0]], dtype=torch.float64)
    lag = torch.tensor([[2 * math.pi, 0.0], [-3 * math.pi, 6.28], [0.5 - 8 * math.pi, -40.0]], dtype=torch.float64)
    periods = {"theta": 2 * math.pi}
    forecast, truth = (
        Orbit(TIMES[:3], states, coordinates=("theta", "omega"), periods=periods if carrier in (who, "both") else {})
        for who, states in (("forecast", z + lag), ("truth", z))
    )
    difference = differences(forecast, truth)
    assert_close(difference[:, 0].abs(), torch.tensor([0.0, math.pi, 0.5], dtype=torch.float64))
    assert_close(difference[:, 1], lag[:, 1])  # no angle


def test_an_angle_with_two_periods_is_refused():
    degrees, radians = (
        Orbit(TIMES, at(TIMES).z, coordinates=("theta", "omega"), periods={"theta": period}) for period in (360, 2 * math.pi)
    )
    with pytest.raises(InputError, match="theta has the period 360 in the forecast"):
        valid_prediction_time(degrees, radians)


@given(unit=st.floats(1e-12, 1e12), shift=st.floats(0.002, 5))
def test_a_shift_by_more_than_a_thousandth_of_a_step_is_seen_in_any_unit(unit, shift):
    with pytest.raises(InputError, match="different times"):
        check_match(at(unit * (TIMES + 0.1 * shift)), at(unit * TIMES))
