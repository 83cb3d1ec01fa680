"""Valid prediction time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

import systems
from physlearn.metrics import truth_horizon, valid_prediction_time
from systems import InputError, Orbit, System

T = torch.linspace(0, 10, 101, dtype=torch.float64)


def circle(t=T):
    """Three whole periods about the origin: coordinates have the mean 0, and states the norm 1, the scale of the distance."""
    angle = 2 * torch.pi * 3 / 10.1 * t
    return Orbit(t, torch.stack([angle.cos(), -angle.sin()], -1), coordinates=("q", "p"))


def off_by(distance, truth=None):
    """The orbit displaced by a distance given at each time, in a fixed direction."""
    truth = truth or circle()
    direction = torch.tensor([0.6, 0.8], dtype=torch.float64)
    return Orbit(truth.t, truth.z + distance[..., None] * direction, coordinates=truth.coordinates)


@pytest.mark.parametrize("threshold", [0.1, 0.4, 0.5])
def test_an_error_that_grows_linearly_crosses_the_threshold_when_it_must(threshold):
    growth = 0.0799  # per unit of time
    valid = valid_prediction_time(off_by(growth * T), circle(), threshold)
    assert 0 <= float(valid) - threshold / growth <= 0.1 + 1e-12  # the first sample after the crossing


def test_the_distance_is_measured_in_units_of_the_rms_size_of_each_true_orbit():
    sizes = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)[:, None, None]
    truth = Orbit(T, sizes * circle().z)
    forecast = Orbit(T, sizes * off_by(0.0801 * T).z)
    assert_close(valid_prediction_time(forecast, truth), torch.full((3,), 5.0, dtype=torch.float64))


def test_time_counts_from_the_first_time_forward_and_backward():
    for t in (T + 100, 100 - T):
        assert float(valid_prediction_time(off_by(0.0801 * T, circle(t)), circle(t))) == pytest.approx(5.0)


def test_a_forecast_that_is_never_off_is_valid_for_its_whole_length():
    assert float(valid_prediction_time(circle(), circle())) == 10.0
    assert float(valid_prediction_time(off_by(0.3999 + 0 * T), circle())) == 10.0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf, 1e300])
def test_states_that_are_not_finite_are_off(bad):
    z = circle().z.clone()
    z[42:, 1] = bad
    assert float(valid_prediction_time(Orbit(T, z, coordinates=("q", "p")), circle())) == pytest.approx(4.2)


def test_a_forecast_that_is_off_and_comes_back_counts_to_the_first_time_it_is_off():
    distance = torch.where((T - 3).abs() < 0.01, 1.0, 0.0)
    assert float(valid_prediction_time(off_by(distance), circle())) == pytest.approx(3.0)


def test_a_truth_at_rest_is_met_exactly_or_not_at_all():
    rest = Orbit(T, torch.zeros(101, 2, dtype=torch.float64))
    assert float(valid_prediction_time(rest, rest)) == 10.0
    assert float(valid_prediction_time(Orbit(T, rest.z + 1e-9), rest)) == 0.0


def test_the_horizon_caps_one_orbit_or_all():
    growth = torch.tensor([[0.1], [0.2], [0.0]], dtype=torch.float64)
    truth = Orbit(T, circle().z.expand(3, -1, -1), coordinates=("q", "p"))
    forecast = off_by(growth * T + 1e-9, truth)
    assert_close(valid_prediction_time(forecast, truth).tolist(), [4.0, 2.0, 10.0])
    assert_close(valid_prediction_time(forecast, truth, horizon=3.0).tolist(), [3.0, 2.0, 3.0])
    each = torch.tensor([1.0, 9.0, 9.0], dtype=torch.float64)
    assert_close(valid_prediction_time(forecast, truth, horizon=each).tolist(), [1.0, 2.0, 9.0])


@given(seed=st.integers(0, 10**6), low=st.floats(0.01, 1), factor=st.floats(1, 10))
def test_a_wider_threshold_is_never_passed_earlier_and_orbits_of_a_batch_do_not_mix(seed, low, factor):
    random = torch.Generator().manual_seed(seed)
    truth = Orbit(T, torch.randn(2, 3, 101, 2, generator=random, dtype=torch.float64))
    noise = torch.randn(2, 3, 101, 2, generator=random, dtype=torch.float64)
    forecast = Orbit(T, truth.z + 0.03 * noise.cumsum(-2))
    valid = valid_prediction_time(forecast, truth, low)
    assert valid.shape == (2, 3)
    assert (valid <= valid_prediction_time(forecast, truth, low * factor)).all()
    assert_close(valid_prediction_time(forecast[1][2], truth[1][2], low), valid[1, 2])


def test_what_cannot_be_compared_is_refused():
    truth = circle()
    with pytest.raises(InputError, match="different times"):
        valid_prediction_time(Orbit(T + 0.05, truth.z, coordinates=("q", "p")), truth)
    with pytest.raises(InputError, match="shape"):
        valid_prediction_time(truth[..., :50], truth)
    with pytest.raises(InputError, match="shape"):
        valid_prediction_time(Orbit.stack([truth, truth]), truth)
    with pytest.raises(InputError, match="coordinates"):
        valid_prediction_time(Orbit(T, truth.z, coordinates=("x", "v")), truth)
    with pytest.raises(InputError, match="truth"):
        valid_prediction_time(truth, Orbit(T, truth.z * torch.nan, coordinates=("q", "p")))
    for threshold in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="threshold"):
            valid_prediction_time(truth, truth, threshold)


def test_a_forecast_in_single_precision_meets_a_truth_in_double_precision():
    assert float(valid_prediction_time(off_by(0.0801 * T).to(torch.float32), circle())) == pytest.approx(5.0)


class Lorenz(System):
    coordinates = ("x", "y", "z")

    def vector_field(self, t, z):
        x, y, w = z.unbind(-1)
        return torch.stack([10 * (y - x), x * (28 - w) - y, x * y - 8 / 3 * w], -1)

    def sample(self, n, *, seed=0):
        raise NotImplementedError

    parameters = {}  # noqa: RUF012


def test_the_truth_of_a_chaotic_orbit_ends_when_rounding_has_grown_to_its_size():
    horizon = truth_horizon(Lorenz(), torch.tensor([1.0, 1.0, 20.0]), torch.linspace(0, 45, 451))
    # solvers within 1e-12, an exponent of .906: ln(.01 / 1e-12) / .906 = 25, and global errors are some times local ones
    assert 18 < float(horizon) < 45


def test_arrays_without_times_are_refused_in_a_sentence():
    z = np.ones((5, 2))
    with pytest.raises(InputError, match=r"needs orbits, which have times, not a ndarray; make one with systems.Orbit"):
        valid_prediction_time(z, z)


def test_the_truth_of_a_regular_orbit_is_known_to_its_end():
    oscillator = systems.get("harmonic-oscillator")
    assert float(truth_horizon(oscillator, torch.tensor([1.0, 0.0]), torch.linspace(0, 100, 11))) == 100
