"""The adaptive method against exact solutions: it is worth its tolerances, at every time asked for."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import integrate
from systems import InputError, IntegrationError


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def exact(t):
    return torch.stack([t.cos(), -t.sin()], dim=-1)


@pytest.mark.parametrize("count", [2, 3, 51])
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("tolerance", [1e-6, 1e-9, 1e-12])
def test_the_error_is_of_the_size_of_the_tolerances(harmonic_oscillator, tolerance, direction, count):
    t = direction * torch.linspace(0, 10, count, dtype=torch.float64)
    z = integrate(harmonic_oscillator, f64(1.0, 0.0), t, "dopri8", rtol=tolerance, atol=tolerance).z
    # local errors add up over fewer than a hundred steps
    assert_close(z, exact(t), rtol=0, atol=max(100 * tolerance, 1e-12))


def test_the_default_tolerances_give_eight_digits(harmonic_oscillator):
    t = torch.linspace(0, 10, 11, dtype=torch.float64)
    assert_close(integrate(harmonic_oscillator, f64(1.0, 0.0), t, "dopri8").z, exact(t), rtol=0, atol=1e-8)


def test_it_agrees_with_an_independent_solver_on_a_path_that_no_formula_gives(henon_heiles):
    z0, t = henon_heiles.sample(3, energy=0.08), f64(0.0, 20.0)
    expected = henon_heiles.orbit(z0, t, method="DOP853").z
    assert_close(integrate(henon_heiles, z0, t, "dopri8", rtol=1e-11, atol=1e-11).z, expected, rtol=0, atol=1e-9)


def test_the_last_time_is_as_accurate_as_the_same_time_in_the_middle(henon_heiles):
    z0 = henon_heiles.sample(1)[0]
    last = integrate(henon_heiles, z0, f64(0.0, 0.5), "dopri8").z[-1]
    middle = integrate(henon_heiles, z0, f64(0.0, 0.5, 1.0), "dopri8").z[1]
    assert_close(last, middle, rtol=0, atol=1e-8)


def test_a_field_may_depend_on_time():
    t = f64(0.0, 0.5, 2.0)
    z = integrate(lambda t, z: t * z, f64(1.0), t, "dopri8", rtol=1e-10, atol=1e-10).z[:, 0]
    assert_close(z, (t**2 / 2).exp(), rtol=1e-8, atol=0)


def test_one_difficult_orbit_in_a_batch_is_held_to_the_tolerances():
    """31 orbits at rest beside one that turns fast: a mean over the batch would hide its error."""
    rate = f64(*[0.0] * 31, 20.0).unsqueeze(-1)
    rotate = lambda t, z: rate * torch.stack([z[..., 1], -z[..., 0]], dim=-1)  # noqa: E731
    z = integrate(rotate, f64(1.0, 0.0).expand(32, 2), f64(0.0, 5.0, 10.0), "dopri8").z[-1, 1:]
    assert_close(z, exact(20 * f64(5.0, 10.0)), rtol=0, atol=1e-6)


def test_it_is_differentiable_by_the_initial_state(harmonic_oscillator):
    z0 = f64(1.0, 0.5).requires_grad_()
    (found,) = torch.autograd.grad(integrate(harmonic_oscillator, z0, f64(0.0, 1.0, 2.0), "dopri8").z[1, 0], z0)
    assert_close(found, torch.stack([f64(1.0).cos(), f64(1.0).sin()]).squeeze(), rtol=0, atol=1e-8)


def test_one_time_is_the_initial_state(harmonic_oscillator):
    assert torch.equal(integrate(harmonic_oscillator, f64(1.0, 0.5), f64(3.0), "dopri8").z, f64(1.0, 0.5).unsqueeze(0))


def test_an_orbit_that_blows_up_is_an_error():
    with pytest.raises(IntegrationError, match="dopri8 cannot follow"):
        integrate(lambda t, z: z**2, f64(1.0), f64(0.0, 2.0), "dopri8")


def test_substeps_are_refused_with_what_to_give_instead(harmonic_oscillator):
    with pytest.raises(InputError, match="give rtol and atol, not substeps"):
        integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, 1.0), "dopri8", substeps=2)


@pytest.mark.parametrize("wrong", [{"rtol": -1e-3}, {"atol": -1e-3}, {"rtol": float("nan")}, {"rtol": 0.0, "atol": 0.0}])
def test_tolerances_that_make_no_sense_are_refused(harmonic_oscillator, wrong):
    with pytest.raises(InputError, match="tol"):
        integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, 1.0), "dopri8", **wrong)
