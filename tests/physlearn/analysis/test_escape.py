"""Escapes from a minimum, against the exact mean times in one dimension and the formulas for high barriers."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import cumulative_simpson, simpson

from physlearn.analysis import Landscape, descent_noise, descent_rate, escape_rate, escape_times, kramers_rate, langevin
from systems import InputError

BARRIER, FLOOR = 1.0, 0.4
AT_MINIMUM, AT_TOP = 8 * BARRIER, -4 * BARRIER  # second derivatives of BARRIER (x^2 - 1)^2


def potential(x):
    """Two wells at -1 and 1, as high as FLOOR, and a barrier between."""
    return FLOOR + BARRIER * (x**2 - 1) ** 2


def slope(x):
    return 4 * BARRIER * x * (x**2 - 1)


def exact_rate(diffusion, end):
    """One over the mean time from -1 to the end, by quadrature of the backward equation D T'' - V' T' = -1.

    With P = int V'/D, T = int_-1^end e^P(y) int_-inf^y e^-P(z) / D(z) dz dy. Source: Gardiner, Handbook of Stochastic
    Methods, section 5.2.7.
    """
    x = np.linspace(-1.8, end, 40_001)
    D = diffusion(x)
    P = cumulative_simpson(slope(x) / D, x=x, initial=0)
    P -= P[np.abs(x + 1).argmin()]
    inner = cumulative_simpson(np.exp(-P) / D, x=x, initial=0)
    later = x >= -1
    return 1 / simpson((np.exp(P) * inner)[later], x=x[later])


def loss(theta):
    return potential(theta).squeeze(-1)


def watched(diffusion, time, dt=0.005, n=1500):
    theta = torch.full((n, 1), -1.0, dtype=torch.float64)
    times = escape_times(slope, theta, diffusion, lambda theta: theta.squeeze(-1) > 0.8, time, dt, seed=3)
    return escape_rate(times, time)


def test_escapes_over_a_high_barrier_happen_at_kramers_rate():
    D = BARRIER / 5
    found = watched(D, time=25.0)
    assert found.error < 0.08 * found.value
    exact = exact_rate(lambda x: np.full_like(x, D), 0.8)
    assert abs(found.value - exact) < 4 * found.error + 0.03 * exact  # 3 %: of the step, and of excursions between steps
    kramers = kramers_rate(torch.tensor([[AT_MINIMUM]]), torch.tensor([[AT_TOP]]), BARRIER, D)
    assert found.value == pytest.approx(kramers, rel=0.2 + 4 * found.error / found.value)


def test_the_rates_of_the_theory_are_those_of_high_barriers():
    """Each errs by the order of the noise: a quarter of the noise leaves a quarter of the error."""
    for off in (_off_kramers, _off_descent):
        coarse, fine = off(1.0), off(0.25)
        assert fine < 0.06
        assert fine < 0.4 * coarse


def _off_kramers(noise):
    D = 0.16 * noise
    exact = exact_rate(lambda x: np.full_like(x, D), 0.8)
    return abs(kramers_rate(torch.tensor([[AT_MINIMUM]]), torch.tensor([[AT_TOP]]), BARRIER, D) / exact - 1)


def _off_descent(noise):
    k = 0.2 * noise
    exact = exact_rate(lambda x: k * potential(x), 0.8)
    return abs(descent_rate(AT_MINIMUM, AT_TOP, FLOOR, FLOOR + BARRIER, k / AT_MINIMUM, 1) / exact - 1)


def test_in_more_directions_the_rate_has_the_width_of_the_valley_over_that_of_the_pass():
    """With V = f(x) + w y^2 / 2, where the valley is the wider by 4 : 1 in curvature the rate is half of the one in x."""
    line = kramers_rate(torch.tensor([[AT_MINIMUM]]), torch.tensor([[AT_TOP]]), BARRIER, 0.2)
    plane = kramers_rate(torch.diag(torch.tensor([AT_MINIMUM, 1.0])), torch.diag(torch.tensor([4.0, AT_TOP])), BARRIER, 0.2)
    assert plane == pytest.approx(line / 2)


def test_stochastic_descent_escapes_as_its_equation_says():
    k = 0.35
    noise = descent_noise(loss, torch.tensor([[AT_MINIMUM]], dtype=torch.float64), k / AT_MINIMUM, 1)
    found = watched(noise, time=40.0, n=1000)
    exact = exact_rate(lambda x: k * potential(x), 0.8)
    assert found.error < 0.1 * found.value
    assert abs(found.value - exact) < 4 * found.error + 0.03 * exact


def test_descent_leaves_a_sharp_minimum_sooner_than_a_flat_one_of_the_same_depth():
    centers = torch.tensor([[-1.2, 0.0], [1.2, 0.0]], dtype=torch.float64)
    pair = torch.tensor([0.7, 0.7], dtype=torch.float64)
    wells = Landscape(centers, pair, torch.tensor([0.2, 0.5], dtype=torch.float64), stiffness=0.2, level=0.7)
    noise = descent_noise(wells.value, wells.valley_hessian, learning_rate=0.03, batch_size=1)
    ends = {}
    for name, number in zip(("sharp", "flat"), wells.census(wells.minima)["sharpness"].argsort()[::-1], strict=True):
        path = langevin(wells.gradient, wells.minima[number].expand(100, 2), noise, 4.0, 0.005, every=800)
        ends[name] = wells.census(path.z[:, -1])["share"][number]
    assert ends["sharp"] < 0.5
    assert ends["flat"] > 0.95


def test_a_rate_is_estimated_from_those_that_did_not_escape_too():
    rate, watch = 0.5, 1.0
    times = -torch.rand(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64).log() / rate
    whole, cut = escape_rate(times, math.inf), escape_rate(times.where(times <= watch, math.inf), watch)
    for found in (whole, cut):
        assert abs(found.value - rate) < 4 * found.error
    assert whole.error == pytest.approx(rate / math.sqrt(20_000), rel=0.05)
    assert cut.error > whole.error


def test_without_escapes_the_rate_is_zero_and_its_error_unknown():
    value, error = escape_rate(torch.full((5,), math.inf), 2.0)
    assert value == 0
    assert math.isnan(error)


def test_escape_times_are_ends_of_steps():
    theta = torch.tensor([[0.0], [0.55], [-5.0]], dtype=torch.float64)
    times = escape_times(lambda theta: -torch.ones_like(theta), theta, 0.0, lambda theta: theta[:, 0] > 0.95, 2.0, 0.1)
    assert times.tolist() == [pytest.approx(1.0), pytest.approx(0.5), math.inf]


def test_what_is_no_minimum_below_a_barrier_is_refused():
    one = torch.eye(1)
    for wrong, said in (
        (lambda: kramers_rate(-one, -one, 1.0, 0.1), "at a minimum"),
        (lambda: kramers_rate(one, one, 1.0, 0.1), "at a saddle"),
        (lambda: kramers_rate(torch.eye(2), -torch.eye(2), 1.0, 0.1), "at a saddle"),
        (lambda: kramers_rate(one, -one, -1.0, 0.1), "barrier"),
        (lambda: descent_rate(1.0, 1.0, 0.1, 1.0, 0.1, 1), "saddle < 0"),
        (lambda: descent_rate(1.0, -1.0, 1.0, 0.1, 0.1, 1), "loss_at_saddle > loss"),
        (lambda: escape_rate(torch.ones(3), 0.0), "time must be positive"),
        (lambda: escape_times(slope, torch.zeros(3), 0.1, slope, 1.0, 0.1), r"start must be \(n, d\)"),
    ):
        with pytest.raises(InputError, match=said):
            wrong()
