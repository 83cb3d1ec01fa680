"""Orbits of a batch do not notice each other: not in value, not in gradient, not in time, even where one is lost."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import physlearn
from physlearn import ConvergenceError

pytestmark = pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")
integrate = partial(physlearn.integrate, substeps=1)  # the steps are tested, however long they are

IMPLICIT = ["implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"]
STEP = 0.5


def square(t, z):
    """z' = z^2. The midpoint m solves m = z + h m^2 / 2, which it can as long as 2 h z <= 1."""
    return z**2


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def midpoint_orbit(z, h):
    """The midpoint rule on z' = z^2 by its closed formula, until it has no solution."""
    orbit = [z]
    while 2 * h * orbit[-1] <= 1:
        m = (1 - (1 - 2 * h * orbit[-1]) ** 0.5) / h
        orbit.append(2 * m - orbit[-1])
    return orbit


@pytest.mark.parametrize("z0", [0.1, 0.3, 0.7])
def test_steps_are_those_of_the_closed_formula_until_there_are_none(z0):
    expected = midpoint_orbit(z0, STEP)
    t = STEP * torch.arange(len(expected) + 3, dtype=torch.float64)
    orbit = integrate(square, f64(z0), t, "implicit-midpoint", failure="nan")
    assert_close(orbit.z[: len(expected), 0], f64(*expected), rtol=0, atol=1e-12)
    assert torch.isnan(orbit.z[len(expected) :]).all()


@pytest.mark.parametrize("z0", [0.1, 0.3, 0.7])
def test_the_time_of_the_step_without_solution_is_told(z0):
    expected = midpoint_orbit(z0, STEP)
    t = 7 + STEP * torch.arange(len(expected) + 3, dtype=torch.float64)
    with pytest.raises(ConvergenceError) as caught:
        integrate(square, f64(z0), t, "implicit-midpoint")
    assert caught.value.time == 7 + STEP * (len(expected) - 1)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_the_lost_orbit_is_told_by_its_index_in_the_batch(shape):
    z0 = torch.full((*shape, 1), 0.1, dtype=torch.float64)
    lost = tuple(n - 1 for n in shape)
    z0[lost] = 5.0
    with pytest.raises(ConvergenceError) as caught:
        integrate(square, z0, f64(0.0, STEP), "implicit-midpoint")
    assert caught.value.orbit == lost


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8, None])
def test_the_equation_of_a_step_is_solved_to_the_tolerance(tolerance, tao_oscillator):
    z, h = tao_oscillator.sample(20, outer=1.5), 0.1
    end = integrate(tao_oscillator, z, f64(0.0, h), "implicit-midpoint", tolerance=tolerance).z[:, -1]
    residual = (end - z - h * tao_oscillator.vector_field(0.0, (z + end) / 2)).abs().amax(-1)
    assert bool((residual <= (tolerance or 2e-15) * (1 + z.abs().amax(-1))).all())


# amplitudes small enough for sweeps beside ones that need Newton's method, and ones that have no solution at all
@pytest.mark.parametrize(
    "method", [pytest.param(method, marks=[] if method == "implicit-midpoint" else pytest.mark.slow) for method in IMPLICIT]
)
@settings(max_examples=10)
@given(amplitudes=st.lists(st.floats(0.01, 5), min_size=2, max_size=4), direction=st.sampled_from([1, -1]))
def test_an_orbit_is_bit_for_bit_the_same_alone_and_beside_any_others(tao_oscillator, method, amplitudes, direction):
    z0 = f64(*amplitudes).unsqueeze(-1) * f64(0.8, -0.6)
    t = direction * 0.15 * torch.arange(3, dtype=torch.float64)
    together = integrate(tao_oscillator, z0, t, method, substeps=1, failure="nan").z
    for z, start in zip(together, z0, strict=True):
        alone = integrate(tao_oscillator, start, t, method, substeps=1, failure="nan").z
        assert_close(z, alone, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("method", IMPLICIT)
def test_gradients_of_the_others_do_not_notice_a_lost_orbit(method):
    def gradient(z0):
        rate = f64(1.0).requires_grad_()
        orbit = integrate(lambda t, z: rate * z**2, z0, f64(0.0, STEP, 2 * STEP), method, failure="nan")
        return torch.autograd.grad(orbit.z[0].sum(), rate)[0]

    alone, beside = gradient(f64(0.1).unsqueeze(-1)), gradient(f64(0.1, 5.0).unsqueeze(-1))
    assert torch.isfinite(alone).all()
    assert_close(beside, alone, rtol=1e-12, atol=0)


def test_a_lost_orbit_costs_the_others_nothing_once_it_is_lost():
    def calls_after_the_first_step(z0):
        calls = 0

        def counted(t, z):
            nonlocal calls
            calls += bool(t >= STEP)
            return z**2

        orbit = integrate(counted, z0, STEP * torch.arange(6, dtype=torch.float64), "gauss-legendre-4", failure="nan")
        assert torch.isfinite(orbit.z[0]).all()
        return calls

    alone, beside = calls_after_the_first_step(f64(0.1).unsqueeze(-1)), calls_after_the_first_step(f64(0.1, 5.0).unsqueeze(-1))
    assert beside <= alone
