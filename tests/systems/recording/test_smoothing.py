"""Smoothed signals, their derivatives, errors and noise, against exact orbits and another spline."""

import math

import numpy as np
import pytest
import torch
from scipy.interpolate import make_smoothing_spline

import systems
from systems import InputError
from systems.recording import smooth
from systems.recording.kalman_loops import filtered, smoothed
from systems.recording.smoothing import _Signal

PENDULUM = systems.get("pendulum")


def signals(per_turn, noise, runs=10, turns=6, seed=0):
    """Angles of a pendulum at uneven times, with their true rates and accelerations."""
    random = np.random.default_rng(seed)
    n = turns * per_turn
    t = np.sort(random.uniform(-0.3, 0.3, n) + np.arange(n)) * 2 * math.pi / per_turn
    orbit = PENDULUM.orbit(PENDULUM.sample(runs, seed=seed), torch.from_numpy(t))
    angle, rate = orbit.z[..., 0].numpy(), orbit.rate.numpy()
    return t, angle + noise * angle.std() * random.normal(size=angle.shape), rate[..., 0], rate[..., 1], noise * angle.std()


def relative(found, true):
    return float(np.sqrt(np.mean((found - true) ** 2)) / true.std())


@pytest.mark.parametrize(
    ("per_turn", "noise", "first", "second"),
    [(20, 0.0, 1e-3, 0.01), (60, 0.0, 3e-5, 1e-3), (60, 0.01, 0.02, 0.15), (20, 0.01, 0.03, 0.15), (20, 0.1, 0.15, 0.5)],
)
def test_derivatives_are_those_of_the_true_orbit(per_turn, noise, first, second):
    t, x, rate, acceleration, _ = signals(per_turn, noise)
    found = smooth([(t, one) for one in x])
    assert relative(np.stack([one.values[1] for one in found]), rate) < first
    assert relative(np.stack([one.values[2] for one in found]), acceleration) < second


@pytest.mark.parametrize(("per_turn", "noise"), [(20, 0.01), (60, 0.01), (60, 0.1)])
def test_the_noise_and_the_errors_are_honest_up_to_the_ends(per_turn, noise):
    t, x, rate, _, true = signals(per_turn, noise, runs=40)
    found = smooth([(t, one) for one in x])
    assert found[0].noise == pytest.approx(true, rel=0.05)
    off = np.abs(np.stack([one.values[1] for one in found]) - rate) / np.stack([one.errors[1] for one in found])
    assert 0.85 < (off < 2).mean() <= 1  # 0.95 for a process like that of the prior
    assert 0.85 < (off[:, [0, -1]] < 2).mean() <= 1
    errors = found[0].errors[1]
    assert errors[0] > 3 * errors[len(t) // 2]


def test_a_process_of_order_two_is_a_cubic_smoothing_spline():
    random = np.random.default_rng(1)
    t = np.cumsum(random.uniform(0.5, 1.5, 40))
    x = np.sin(t / 4) + 0.1 * random.normal(size=40)
    stiffness, order = 3.0, 2
    arrays = [np.zeros(shape) for shape in ((40, 2), (40, 2, 2)) * 2]
    start = np.array([x[0], (x[1] - x[0]) / (t[1] - t[0])])
    filtered(t, x, np.ones(40, bool), start, 1 / stiffness, order, *arrays)
    smoothed(t, *arrays, order)
    spline = make_smoothing_spline(t, x, lam=stiffness)
    np.testing.assert_allclose(arrays[0][:, 0], spline(t), atol=1e-6)
    np.testing.assert_allclose(arrays[0][:, 1], spline.derivative()(t), atol=1e-6)


def test_holes_units_directions_and_origins_do_not_matter():
    t, x, *_ = signals(30, 0.01, runs=2)
    x[0, 50:60] = np.nan
    x[1, ::7] = np.nan
    plain = smooth([(t, one) for one in x])
    assert all(np.isfinite(one.values).all() and np.isfinite(one.errors).all() for one in plain)
    assert plain[0].errors[0, 55] > 2 * plain[0].errors[0, 40]
    for scale, time in ((1e-9, 1e9), (1e9, 1e-9)):
        other = smooth([(t * time + 7 * time, one * scale) for one in x])
        back = smooth([((t * time)[::-1], one[::-1] * scale) for one in x])
        unit = scale / time ** np.arange(3)[:, None]
        for one, same, reverse in zip(plain, other, back, strict=True):
            np.testing.assert_allclose(same.values / unit, one.values, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(reverse.values[:, ::-1] / unit, one.values, rtol=0.02, atol=0.02)
    far = smooth([(t, one + 1e6) for one in x])
    np.testing.assert_allclose(far[0].values[1], plain[0].values[1], atol=1e-4)


@pytest.mark.parametrize("pause", [20.0, 1e3, 1e4, 1e6, 1e9])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_pause_costs_neither_the_rates_nor_the_noise(pause, direction):
    t = np.linspace(0, 40, 201)
    t = np.concatenate([t[:100], t[100:] + pause])
    noise = 0.01 * np.random.default_rng(0).normal(size=len(t))
    (found,) = smooth([(t[::direction], (np.sin(t) + noise)[::direction])])
    assert found.noise == pytest.approx(0.01, rel=0.2)
    off = np.abs(found.values[1][::direction] - np.cos(t))
    assert np.sqrt(np.mean(off**2)) < 0.03  # 0.01 without a pause; what a step of 0.2 tells is off by 0.07
    assert 0.85 < (off < 2 * found.errors[1][::direction]).mean() <= 1


def test_values_far_from_measured_ones_are_not_known():
    t = np.arange(1000.0)
    x = np.where((t < 300) | (t > 600), np.sin(t / 10), np.nan)
    (found,) = smooth([(t, x)])
    far = (t > 320) & (t < 580)
    assert np.isinf(found.errors[:, far]).all()
    assert np.isfinite(found.errors[:, (t < 305) | (t > 595)]).all()
    np.testing.assert_allclose(found.values[0, far], np.where(t <= 450, x[299], x[601])[far])


@pytest.mark.parametrize(("size", "step"), [(1e300, 1.0), (1.0, 1e300), (1.0, 1e-300), (1e100, 1e-100)])
def test_values_whose_squares_overflow_are_refused(size, step):
    with pytest.raises(InputError, match="other units"):
        smooth([(np.arange(20) * step, np.sin(np.arange(20)) * size)])


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], [0.0, 1.0, 4.0], [0.0, 1.0, 8.0, 27.0], [2.0] * 6])
def test_few_values_give_the_polynomial_through_them(values):
    t = np.arange(len(values), dtype=float)
    (found,) = smooth([(t, np.array(values))])
    np.testing.assert_allclose(found.values[0], values, atol=1e-6)
    slope = np.polyval(np.polyder(np.polyfit(t, values, min(len(values), 4) - 1)), t) if len(values) > 1 else [0.0]
    np.testing.assert_allclose(found.values[1], slope, atol=1e-5)
    assert np.isinf(found.errors[1]).all() == (len(values) < 2)


@pytest.mark.parametrize("x", [[np.nan, np.nan], [1.0, np.inf]])
def test_signals_without_values_or_with_infinite_ones_are_refused(x):
    with pytest.raises(InputError, match="must have a measured value, and no infinite one"):
        smooth([(np.arange(2.0), np.array(x))])
    with pytest.raises(InputError, match="must have a measured value"):
        smooth([])


@pytest.mark.parametrize("seed", range(12))
def test_signals_without_noise_at_times_of_very_different_distances_are_followed(seed):
    random = np.random.default_rng(seed)
    t = np.sort(random.uniform(0, 40, 150))
    t = t[(t < 12) | (t > 19)]
    (found,) = smooth([(t, np.sin(t + seed))])
    assert np.abs(found.values[0] - np.sin(t + seed)).max() < 1e-3
    assert np.sqrt(np.square(found.values[1] - np.cos(t + seed)).mean()) < 0.1


@pytest.mark.parametrize("strength", [1e-3, 1.0])
def test_what_is_followed_of_the_noise_is_the_mean_leverage(strength):
    """A spline is linear in the values: one more unit of a value moves the spline there by its leverage."""
    random = np.random.default_rng(0)
    t, x, seen = np.cumsum(random.uniform(0.5, 1.5, 14)), random.normal(size=14), np.arange(14) % 5 != 3
    x[~seen] = 0.0

    def found(x):
        signal = _Signal.of(t, x, seen, 1.0)
        return signal.smoothed(signal.run(strength))

    values, _, followed = found(x)
    leverages = [found(x + unit)[0][0, i] - values[0, i] for i, unit in enumerate(np.eye(14)) if seen[i]]
    assert followed == pytest.approx(np.mean(leverages), rel=1e-5)
    assert 0.2 < followed < 0.9
