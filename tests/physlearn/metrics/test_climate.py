"""Marginals and spectra of long orbits."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from torch.testing import assert_close

import systems
from physlearn import integrate
from physlearn.metrics import hellinger_distance, marginals, spectrum
from systems import InputError, Orbit

T = torch.arange(4096, dtype=torch.float64) / 8


def normal(mean=0.0, width=1.0, n=10_000):
    """An orbit whose coordinate takes the quantiles of a normal distribution."""
    quantiles = torch.from_numpy(norm.ppf((torch.arange(n).numpy() + 0.5) / n))
    return Orbit(torch.arange(n, dtype=torch.float64), mean + width * quantiles[:, None])


def wave(frequency, t=T, mean=0.0):
    return Orbit(t, mean + torch.sin(2 * math.pi * frequency * t)[:, None])


@given(shift=st.floats(-5, 5), width=st.floats(0.1, 10))
def test_a_shifted_marginal_is_off_by_the_shift(shift, width):
    distance = marginals(normal(shift * width, width), normal(0, width))
    assert distance.item() == pytest.approx(abs(shift), rel=1e-3, abs=1e-9)


def test_marginals_take_holes_and_times_of_their_own():
    truth, other = normal(0.0, 2.0), normal(1.0, 2.0)
    z = truth.z.clone()
    z[::7] = torch.nan
    holed = Orbit(torch.stack([truth.t, 3 * truth.t]), torch.stack([z, truth.z]))
    both = Orbit(holed.t, torch.stack([other.z, other.z]))
    assert_close(marginals(both, holed), torch.full((2, 1), 0.5, dtype=torch.float64), rtol=1e-2, atol=0)
    never = Orbit(truth.t, torch.cat([truth.z, truth.z * torch.nan], -1))
    assert marginals(Orbit(truth.t, other.z.expand(-1, 2)), never).isnan().tolist() == [False, True]


def test_a_wider_marginal_is_off_by_the_mean_of_the_quantiles_differences():
    assert marginals(normal(width=1.5), normal()).item() == pytest.approx(0.5 * math.sqrt(2 / math.pi), rel=1e-3)


def test_orbits_of_different_lengths_are_compared():
    assert marginals(normal(n=2000), normal()).item() < 2e-3
    t = torch.arange(3000, dtype=torch.float64) / 8
    assert spectrum(wave(0.25, t), wave(0.25)).item() < 0.02


def test_a_line_at_another_frequency_is_another_spectrum_and_the_same_at_another_phase():
    assert spectrum(wave(0.5), wave(0.25)).item() > 0.99
    assert spectrum(wave(0.25, T + 1.3), wave(0.25)).item() < 0.01
    assert spectrum(wave(0.25, mean=7.0), wave(0.25)).item() < 0.01  # without the mean


def test_the_power_in_two_lines_is_shared_as_the_squares_of_their_amplitudes():
    """Cos^2 and sin^2 of an angle: the distance to the first line alone is sqrt(1 - cos)."""
    angle = 0.6
    both = Orbit(T, math.cos(angle) * wave(0.25).z + math.sin(angle) * wave(1.0).z)
    assert spectrum(both, wave(0.25)).item() == pytest.approx(math.sqrt(1 - math.cos(angle)), abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_has_no_spectrum(dtype):
    still = Orbit(T, torch.full((len(T), 1), 0.1, dtype=torch.float64)).to(dtype)
    moving = wave(0.25).to(dtype)
    assert spectrum(still, still).item() == 0
    assert spectrum(still, moving).item() == 1
    assert spectrum(moving, still).item() == 1
    assert marginals(still, still).item() == 0
    assert marginals(moving, still).item() == math.inf


def test_another_stretch_of_the_truth_is_nearer_than_another_attractor():
    t = torch.arange(0, 120, 0.05, dtype=torch.float64)
    z0 = torch.tensor([3.0, 3.0, 15.0], dtype=torch.float64)
    truth, other = (integrate(systems.get("lorenz", rho=rho), z0, t, "rk4", substeps=2) for rho in (28.0, 40.0))
    first, second, model = truth[:1200], truth[1200:], other[:1200]
    height = 2  # the other two change sign with the wing, and settle far more slowly
    for measure in (marginals, spectrum):
        assert measure(model, second)[height] > 2 * measure(first, second)[height]


def test_two_stretches_of_white_noise_are_apart_by_what_fifteen_periodograms_leave():
    """Each power has the relative variance v = (1 + 2 c^2 14/15)/15, c = 1/6 of Hann windows half overlapping; d^2 = v/4."""
    noise = torch.randn(2, 8000, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t = torch.arange(8000, dtype=torch.float64)
    distance = spectrum(Orbit(t, noise[0]), Orbit(t, noise[1])).square().mean()
    assert distance.item() == pytest.approx((1 + 2 / 36 * 14 / 15) / 15 / 4, rel=0.1)


def test_a_forecast_that_diverges_has_no_climate():
    truth = Orbit.stack([wave(0.25), wave(0.25)])
    z = truth.z.clone()
    z[1, 100:] = torch.nan
    assert_close(marginals(Orbit(T, z), truth), torch.tensor([[0.0], [math.inf]], dtype=torch.float64))
    assert_close(spectrum(Orbit(T, z), truth), torch.tensor([[0.0], [1.0]], dtype=torch.float64))


def test_hellingers_distance_is_zero_of_equals_and_one_of_what_shares_nothing():
    p = torch.tensor([0.25] * 4 + [0.0] * 4)  # whose square roots are exact on every processor
    assert hellinger_distance(p, p) == 0
    assert hellinger_distance(p, p.flip(0)) == 1
    assert hellinger_distance(p, torch.full((8,), 0.125)).item() == pytest.approx(math.sqrt(1 - math.sqrt(0.5)))


def angles(*turns, t=T, period=2 * math.pi, wrapped=False):
    z = period * torch.stack(turns, -1)
    z = z.remainder(period) if wrapped else z
    names = tuple(f"a{i}" for i in range(len(turns)))
    return Orbit(t, z, coordinates=names, periods=dict.fromkeys(names, period))


@pytest.mark.parametrize("period", [2 * math.pi, 360.0, 1e-9])
@pytest.mark.parametrize("measure", [marginals, spectrum])
def test_the_climate_of_an_angle_does_not_depend_on_its_turns_its_cut_and_its_unit(period, measure):
    even, swing = 0.377 * T, 0.3 * (0.7 * T).sin() + 0.45
    truth, forecast = angles(even, swing, period=period), angles(1.1 * even, 1.2 * swing, period=period)
    expected = measure(angles(1.1 * even, 1.2 * swing), angles(even, swing))
    for of in (truth, angles(even - 7, swing, period=period), angles(even, swing, period=period, wrapped=True)):
        assert_close(measure(forecast, of), expected, rtol=1e-6, atol=1e-6)
        assert (measure(of, truth) < 1e-6).all()
    assert_close(measure(Orbit(T, forecast.z, coordinates=truth.coordinates), truth), expected, rtol=1e-6, atol=1e-6)


def test_evenly_turning_angles_have_one_marginal_and_a_spectrum_for_each_rate():
    slow, fast = angles(0.101 * T), angles(0.733 * T)
    assert marginals(fast, slow).item() < 2e-2
    assert spectrum(fast, slow).item() > 0.99
    assert spectrum(slow, slow[..., 1000:]).item() < 0.05


@pytest.mark.parametrize("height", [0.05, 0.25, 0.6])
def test_the_spectrum_of_a_wide_libration_does_not_depend_on_where_it_starts(height):
    middle, extreme = (angles(height * (0.7 * T + lag).sin()) for lag in (0.0, math.pi / 2))
    assert spectrum(extreme, middle).item() < 0.02


def test_a_marginal_moves_the_short_way_round_the_circle():
    """From -0.4 to 0.4 turns is 0.2 the short way; a spread of .05/sqrt(2) turns is the unit."""
    truth, forecast = (angles(middle + 0.05 * (0.7 * T).sin()) for middle in (-0.4, 0.4))
    spread = float((0.05 * (0.7 * T).sin()).std(correction=0))
    assert marginals(forecast, truth).item() == pytest.approx(0.2 / spread, rel=1e-3)


def test_a_small_libration_has_the_spectrum_of_a_coordinate():
    swing, other = (1e-3 * ((0.7 * T).sin() + share * (2.1 * T).sin()) for share in (0.0, 0.8))
    plain = spectrum(Orbit(T, other[:, None]), Orbit(T, swing[:, None]))
    assert_close(spectrum(angles(other), angles(swing)), plain, atol=1e-4, rtol=0)


def test_marginals_weigh_samples_by_their_time_and_not_by_a_gap():
    late = torch.cat([T[:2000], T[2000:] + 300])
    once = Orbit(T, (0.7 * T).sin()[:, None])
    assert marginals(Orbit(late, (0.7 * late).sin()[:, None]), once).item() < 0.02
    uneven = 512 * torch.linspace(0, 1, 20_001, dtype=torch.float64) ** 2
    early = Orbit(uneven, (uneven > 128).double()[:, None])  # half of the samples, a quarter of the time
    assert marginals(early, Orbit(T, (T > 128).double()[:, None])).item() < 0.01


def test_a_constant_to_rounding_is_a_constant():
    jitter = 1e-13 * torch.randn(2, len(T), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth, forecast = (Orbit(T, (0.3 + noise)[:, None]) for noise in jitter)
    assert marginals(forecast, truth).item() == 0
    assert spectrum(forecast, truth).item() == 0
    assert marginals(Orbit(T, truth.z + 1e-3), truth).item() == math.inf


@pytest.mark.parametrize(
    ("forecast", "truth", "message"),
    [
        (wave(1.0), wave(1.0, T / 2), "evenly spaced"),
        (wave(1.0, T**2 + T), wave(1.0), "evenly spaced"),
        (wave(1.0, T[:63]), wave(1.0), "at least 64 times, not 63"),
        (wave(1.0, T[:1]), wave(1.0), "at least 64 times, not 1"),
        (Orbit.stack([wave(1.0)]), wave(1.0), "the forecast has the batch shape"),
        (Orbit(T, wave(1.0).z, coordinates=("q",)), wave(1.0), "coordinates"),
        (wave(1.0), Orbit(T, wave(1.0).z / 0), "not finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(forecast, truth, message):
    with pytest.raises(InputError, match=message):
        spectrum(forecast, truth)
