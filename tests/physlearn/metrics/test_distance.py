"""The error of a state that the valid time is decided by."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

import systems
from physlearn.metrics import distance, phase_rmse, valid_prediction_time
from systems import InputError, Orbit

T = torch.arange(1000, dtype=torch.float64) * 2 * torch.pi / 100  # ten whole periods of a sine
NAMES = ("q", "p")


def orbit(*columns, t=T, coordinates=(), periods=None):
    return Orbit(t, torch.stack(torch.broadcast_tensors(*columns), -1), coordinates=coordinates, periods=periods or {})


@given(seed=st.integers(0, 10**6), size=st.floats(1e-6, 1e6))
def test_it_is_the_distance_over_the_rms_size_where_coordinates_have_zero_mean_and_one_spread(seed, size):
    truth = orbit(size * T.cos(), size * -T.sin(), size * (2 * T).sin())
    noise = torch.randn(1000, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    forecast = Orbit(T, truth.z + size * noise)
    expected = (forecast.z - truth.z).norm(dim=-1) / truth.z.square().sum(-1).mean().sqrt()  # physics.md, section 3
    assert_close(distance(forecast, truth), expected)


def test_the_size_is_the_root_mean_square_and_not_the_largest():
    # most of the time at 0, for a tenth at 1: the standard deviation is sqrt(.1 .9) = .3, the largest deviation .9
    truth = orbit((torch.arange(1000) % 10 == 0).double())
    assert_close(distance(Orbit(T, truth.z + 0.119), truth), torch.full_like(T, 0.119 / 0.3))
    assert float(valid_prediction_time(Orbit(T, truth.z + 0.119), truth)) == float(T[-1])
    assert float(valid_prediction_time(Orbit(T, truth.z + 0.121), truth)) == 0


def test_the_mean_of_the_truth_errs_by_one_and_another_phase_by_the_root_of_two():
    truth = orbit(7 + T.cos(), -1e9 * T.sin(), 1e-9 * (3 * T).cos() - 2)
    mean = Orbit(T, truth.z.mean(0).expand_as(truth.z))
    late = orbit(7 + T.sin(), 1e9 * T.cos(), 1e-9 * (3 * T).sin() - 2)
    assert float(distance(mean, truth).square().mean()) == pytest.approx(1.0)
    assert float(distance(late, truth).square().mean()) == pytest.approx(2.0)


@given(
    shift=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2), units=st.lists(st.floats(-12, 12), min_size=2, max_size=2)
)
def test_neither_the_origin_nor_the_unit_of_a_coordinate_matters(shift, units):
    truth, forecast = orbit(T.cos(), -0.1 * T.sin()), orbit((1.02 * T).cos(), -0.1 * (1.02 * T).sin())
    unit = 10.0 ** torch.tensor(units, dtype=torch.float64)
    moved = [Orbit(T, unit * (o.z + torch.tensor(shift, dtype=torch.float64))) for o in (forecast, truth)]
    assert_close(distance(*moved), distance(forecast, truth), rtol=1e-6, atol=1e-9)
    crossing = 100 * math.asin(0.2)  # the phases part by .02 t, and the error is the chord 2 sin(.01 t)
    assert 0 <= float(valid_prediction_time(*moved)) - crossing < float(T[1])


@pytest.mark.parametrize("offset", [0.0, 5.0, 1e6])
def test_a_forecast_at_rest_in_the_middle_is_never_valid_for_long(offset):
    still = orbit(torch.full_like(T, offset), torch.zeros_like(T))
    assert float(valid_prediction_time(still, orbit(T.cos() + offset, -T.sin()))) == 0


def pendulum(t, start=(0.1, 2.5)):
    return systems.get("pendulum").orbit(torch.tensor(start, dtype=torch.float64), t)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_rotating_pendulum_that_lags_is_invalid_long_before_it_is_in_antiphase(wrapped):
    t = torch.linspace(0, 100, 1001, dtype=torch.float64)
    truth, slow = pendulum(t), Orbit(t, pendulum(0.95 * t).z, coordinates=("theta", "p"))
    if wrapped:
        z = slow.z.clone()
        z[:, 0] = torch.remainder(z[:, 0] + torch.pi, 2 * torch.pi) - torch.pi
        slow = Orbit(t, z, coordinates=("theta", "p"))
    valid = float(valid_prediction_time(slow, truth))
    assert 2 < valid < 8
    # the lag is a whole turn at t = 1/.05 periods of 3.18: the two are together again
    again = (t - 20 * 3.1805).abs() < 1
    assert distance(slow, truth)[again].min() < 0.1
    antiphase = (t - 10 * 3.1805).abs() < 0.5
    assert distance(slow, truth)[antiphase].min() > 1


def test_a_turn_more_is_no_error_of_an_angle():
    t = torch.linspace(0, 20, 201, dtype=torch.float64)
    truth = pendulum(t)
    forecast = Orbit(t, truth.z + torch.tensor([6 * torch.pi, 0.0], dtype=torch.float64), coordinates=("theta", "p"))
    assert (distance(forecast, truth) < 1e-12).all()
    assert (phase_rmse(forecast, truth) < 1e-12).all()


def test_an_unrelated_angle_errs_by_the_root_of_two_of_a_rotation_however_long():
    t = torch.arange(10_000, dtype=torch.float64)
    golden, other = (0.381966 * 2 * math.pi, 0.7320508 * 2 * math.pi)
    truth, forecast = (orbit(rate * t, t=t, coordinates=("a",), periods={"a": 2 * math.pi}) for rate in (golden, other))
    assert float(distance(forecast, truth).square().mean().sqrt()) == pytest.approx(1.0, rel=1e-2)  # the same at any time
    assert float(phase_rmse(forecast, truth)) == pytest.approx(1.0, rel=1e-2)


@pytest.mark.parametrize("rest", [0.0, 0.3, -1e3])
@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_a_constant_coordinate_takes_the_size_of_the_others(rest, noise):
    jitter = 1 + noise * torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = orbit(T.cos(), -T.sin(), rest * jitter)
    off = lambda d: Orbit(T, truth.z + torch.tensor([0.0, 0.0, d], dtype=torch.float64))  # noqa: E731
    for d in (1e-9, 0.1, 10.0):
        # as in the plane: the distance over the rms size about the mean, which is 1
        assert_close(distance(off(d), truth), torch.full_like(T, d), rtol=1e-6, atol=1e-12)
    with_size = distance(off(0.1), truth, scale={"z2": 0.01})
    assert_close(with_size, torch.full_like(T, 10 / math.sqrt(3)), rtol=1e-6, atol=0)


def test_an_orbit_at_rest_is_met_to_rounding_or_missed_wherever_it_rests():
    for place in (0.0, 5.0):
        rest = orbit(torch.full_like(T, place), torch.full_like(T, place))
        assert float(valid_prediction_time(rest, rest)) == float(T[-1])
        assert float(valid_prediction_time(Orbit(T, rest.z * (1 + 1e-15)), rest)) == float(T[-1])
        assert float(valid_prediction_time(Orbit(T, rest.z + 1e-6), rest)) == 0
        assert float(valid_prediction_time(Orbit(T, rest.z + 1e-6), rest, scale=[1e-3, 1e-3])) == float(T[-1])


def test_declared_sizes_replace_the_spread():
    truth = orbit(T.cos(), -T.sin(), coordinates=NAMES)
    forecast = Orbit(T, truth.z + torch.tensor([0.3, 0.4], dtype=torch.float64), coordinates=NAMES)
    expected = torch.full_like(T, math.sqrt((3.0**2 + 0.04**2) / 2))
    for scale in ([0.1, 10.0], torch.tensor([0.1, 10.0]), {"q": 0.1, "p": 10.0}):
        assert_close(distance(forecast, truth, scale=scale), expected, rtol=1e-6, atol=0)
    one = distance(forecast, truth, scale={"p": 10.0})
    assert_close(one, torch.full_like(T, math.sqrt((0.09 / 0.5 + 0.04**2) / 2)))
    assert float(valid_prediction_time(forecast, truth, scale=[10.0, 10.0])) == float(T[-1])


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ([1.0], "holds 1 sizes"),
        (1.0, "holds 1 sizes"),
        ("large", "sizes in scale"),
        ([1.0, 0.0], "scale of p"),
        ([1.0, math.nan], "scale of p"),
        ({"q": -1.0}, "scale of q"),
        ({"q": "large"}, "scale of q"),
        ({"x": 1.0}, "no coordinate 'x'"),
    ],
)
def test_sizes_that_are_none_are_refused(scale, message):
    truth = orbit(T.cos(), -T.sin(), coordinates=NAMES)
    with pytest.raises(InputError, match=message):
        distance(truth, truth, scale=scale)


def test_each_orbit_of_a_batch_has_its_own_sizes_and_an_empty_batch_no_error():
    sizes = torch.tensor([1e-3, 1.0, 0.0], dtype=torch.float64)[:, None]
    truth = orbit(sizes * T.cos() + 1, -sizes * T.sin())
    forecast = Orbit(T, truth.z + 0.1 * sizes[..., None])
    errors = distance(forecast, truth)
    assert_close(errors[:2], torch.full((2, 1000), 0.1 * math.sqrt(2), dtype=torch.float64))
    assert (errors[2] == 0).all()
    empty = orbit(torch.zeros(0, 1000, dtype=torch.float64), coordinates=("a",), periods={"a": 1.0})
    assert distance(empty, empty).shape == (0, 1000)
    assert valid_prediction_time(empty, empty).shape == (0,)
