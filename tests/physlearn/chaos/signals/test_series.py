"""The 0-1 test and recurrence measures, against the paper's examples, exact values and matrices counted by hand."""

from math import isnan, log, nan, pi

import numpy as np
import pytest
import torch

import systems
from physlearn.chaos import recurrence_matrix, recurrence_measures, zero_one_test
from physlearn.plotting import recurrence_plot
from systems import InputError, Orbit
from systems.maps import LogisticMap

NOISE = np.random.default_rng(0).normal(size=1500)
SINE = np.sin(np.arange(2000) * 1.3)


@pytest.mark.parametrize(("r", "K"), [(3.55, 0.0), (3.97, 1.0)])
def test_the_logistic_map_is_judged_as_in_the_paper(r, K):
    orbit = LogisticMap(r).orbit([0.3], 2000)[..., 1:]
    assert pytest.approx(K, abs=0.05) == zero_one_test(orbit).K


def test_a_sine_is_regular_and_noise_is_taken_for_chaos():
    assert pytest.approx(0, abs=0.05) == zero_one_test(SINE).K
    assert zero_one_test(NOISE).K > 0.95


def test_the_displacement_is_the_one_of_its_definition():
    """Term by term, as the sums are written in the paper, for a series of mean 0."""
    found = zero_one_test(NOISE[:200] + 0.5, angles=3)
    phi = NOISE[:200] - NOISE[:200].mean()
    for c, K in zip(found.angles, found.correlations, strict=True):
        p, q = (np.cumsum(phi * wave(np.arange(1, 201) * c)) for wave in (np.cos, np.sin))
        lags = np.arange(1, 21)
        D = [((p[n : n + 180] - p[:180]) ** 2 + (q[n : n + 180] - q[:180]) ** 2).mean() for n in lags]
        assert pytest.approx(np.corrcoef(lags, D)[0, 1], abs=1e-9) == K


@pytest.mark.parametrize(("r", "K"), [(3.55, 0.0), (3.97, 1.0)])
def test_neither_the_origin_nor_the_unit_of_a_series_matters(r, K):
    x = LogisticMap(r).orbit([0.3], 2000).z[1:, 0].numpy()
    for offset, unit in [(1e3, 1), (-1e4, 1), (1e6, 1), (0, 1e-200), (0, 1e200), (1e6, -1e12)]:
        assert pytest.approx(K, abs=0.05) == zero_one_test(offset * abs(unit) + unit * x).K


def test_equal_steps_are_equal_long_after_the_origin_of_time():
    t = 1.7e9 + 0.05 * np.arange(1500)
    assert zero_one_test(Orbit(t, NOISE[:, None])).K > 0.95
    with pytest.raises(InputError, match="not equally spaced"):
        zero_one_test(Orbit(t + 1e-5 * np.sin(np.arange(1500)), NOISE[:, None]))
    with pytest.raises(InputError, match="not equally spaced"):  # which the rounding of the times makes uneven
        zero_one_test(Orbit(1.7e9 + 7e-7 * np.arange(1500), NOISE[:, None]))


def test_a_batch_is_tested_series_by_series():
    both = zero_one_test(np.stack([SINE[:1500], NOISE]))
    assert both.K.shape == (2,)
    assert both.correlations.shape == (2, 100)
    assert both.K[1] == zero_one_test(torch.from_numpy(NOISE)).K
    assert both.K[1] != zero_one_test(NOISE, seed=1).K


def test_a_finely_sampled_series_is_refused_until_it_is_thinned():
    lorenz = systems.get("lorenz")
    orbit = lorenz.orbit(lorenz.sample(1, seed=0)[0], torch.arange(0, 500, 0.01, dtype=torch.float64))
    with pytest.raises(InputError, match=r"sampled too finely.*every=\d+"):
        zero_one_test(orbit, "x")
    assert zero_one_test(orbit, "x", every=60).K > 0.9


def test_the_measures_of_an_alternating_series_are_those_counted_by_hand():
    measures = recurrence_measures(recurrence_matrix([0.0, 1.0, 0.0, 1.0, 0.0], threshold=0.5))
    assert measures.rate == pytest.approx(4 / 10)  # (0, 2), (1, 3), (2, 4) and (0, 4)
    assert measures.determinism == pytest.approx(3 / 4)
    assert (measures.mean_diagonal, measures.longest_diagonal, measures.entropy) == (3, 3, 0)
    assert measures.laminarity == 0
    assert isnan(measures.trapping_time)


def test_the_measures_of_a_series_that_rests_are_those_counted_by_hand():
    measures = recurrence_measures(recurrence_matrix([0.0, 0.0, 0.0, 5.0, 5.0], threshold=0.5))
    assert measures.rate == pytest.approx(4 / 10)  # (0, 1), (1, 2), (0, 2) and (3, 4)
    assert measures.determinism == pytest.approx(2 / 4)
    assert measures.laminarity == pytest.approx(4 / 8)  # two vertical lines of two, of eight points
    assert measures.trapping_time == 2
    lines = recurrence_measures(recurrence_matrix([0.0] * 4, threshold=0.5))
    assert lines.entropy == pytest.approx(log(2))  # one diagonal of three, and one of two
    assert lines.mean_diagonal == pytest.approx(2.5)


def test_noise_recurs_in_pairs_as_often_as_chance_has_it():
    """The pair before or after a recurrence of independent values is one with the probability r: 1 - (1 - r)^2."""
    measures = recurrence_measures(recurrence_matrix(NOISE, rate=0.1))
    assert measures.rate == pytest.approx(0.1, abs=1e-4)
    assert measures.determinism == pytest.approx(0.19, abs=0.02)


def test_periodic_motion_is_deterministic_and_chaos_less_so():
    t = np.arange(400) * 0.1
    circle = np.stack([np.cos(t), np.sin(t)], axis=-1)
    regular = recurrence_measures(recurrence_matrix(circle, deviations=0.1), window=20)
    assert regular.determinism == pytest.approx(1, abs=1e-3)
    assert regular.longest_diagonal > 300
    chaotic = LogisticMap(4.0).orbit([0.3], 1000)
    assert recurrence_measures(recurrence_matrix(chaotic)).longest_diagonal < 30


def test_an_angle_recurs_after_a_turn():
    orbit = Orbit(torch.arange(4.0), torch.tensor([[0.1], [3.0], [2 * pi - 0.1], [4 * pi + 0.1]]), coordinates=("theta",))
    angle = Orbit(orbit.t, orbit.z, coordinates=("theta",), periods={"theta": 2 * pi})
    assert recurrence_matrix(orbit, threshold=0.3).sum() == 4
    assert recurrence_matrix(angle, threshold=0.3).sum() == 4 + 6


def test_a_threshold_in_standard_deviations_does_not_depend_on_units():
    assert torch.equal(recurrence_matrix(NOISE[:200], deviations=0.2), recurrence_matrix(1e-9 * NOISE[:200], deviations=0.2))


def test_a_matrix_is_drawn_over_its_times():
    matrix = recurrence_matrix(SINE[:50])
    ax = recurrence_plot(matrix, np.arange(50) * 0.1)
    assert ax.get_xlim() == pytest.approx((0, 4.9))
    assert np.array_equal(ax.images[0].get_array() > 0.5, matrix.numpy())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: zero_one_test([0.1, nan] * 60), "60 values are NaN"),
        (lambda: zero_one_test(np.ones(200)), "constant"),
        (lambda: zero_one_test(NOISE[:50]), "at least 100"),
        (lambda: zero_one_test(NOISE, every=0), "at least 1"),
        (lambda: zero_one_test(NOISE, "x"), "only an orbit"),
        (lambda: zero_one_test(systems.maps.get("henon").orbit([0.0, 0.0], 200)), "name one of x, y"),
        (lambda: zero_one_test(systems.maps.get("standard").orbit([0.1, 0.0], 200), "theta"), "is an angle"),
        (lambda: zero_one_test(Orbit(torch.arange(200.0) ** 2, torch.rand(200, 1))), "not equally spaced"),
        (lambda: recurrence_matrix([0.0, nan]), "1 values are NaN"),
        (lambda: recurrence_matrix([0.0]), "at least 2 values"),
        (lambda: recurrence_matrix(NOISE, rate=0.1, threshold=1.0), "only one of"),
        (lambda: recurrence_matrix(NOISE, rate=1.5), "between 0 and 1"),
        (lambda: recurrence_matrix(NOISE, threshold=-1), "a positive number"),
        (lambda: recurrence_matrix(np.zeros((2, 3, 4))), "take one at a time"),
        (lambda: recurrence_matrix(NOISE[:10], window=10), "window must be"),
        (lambda: recurrence_measures(torch.ones(3, 2, dtype=torch.bool)), "square, symmetric and boolean"),
        (lambda: recurrence_measures(torch.ones(3, 3)), "square, symmetric and boolean"),
        (lambda: recurrence_measures(torch.ones(3, 3, dtype=torch.bool), shortest=1), "at least 2"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
