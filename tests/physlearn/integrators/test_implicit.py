import math
from functools import partial

import pytest
import torch
from scipy.optimize import root
from torch.testing import assert_close

import physlearn
from physlearn import ConvergenceError
from physlearn.integrators import fixed_point
from systems import InputError

pytestmark = pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")
integrate = partial(physlearn.integrate, substeps=1)  # the steps are tested, however long they are

IMPLICIT = ["implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"]


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def no_solution(t, z):
    """dz/dt = 1 + z^2: for long steps the midpoint equation has no real solution."""
    return 1 + z**2


def test_a_step_solves_its_equation_as_an_independent_root_finder_does(tao_oscillator):
    z0, h = f64(1.5, -0.3), 0.1
    step = integrate(tao_oscillator, z0, f64(0.0, h), "implicit-midpoint").z[-1]

    def residual(z):
        z = torch.from_numpy(z)
        return (z - z0 - h * tao_oscillator.vector_field(0.0, (z0 + z) / 2)).numpy()

    found = root(residual, z0.numpy(), tol=1e-14)
    assert found.success
    assert_close(step, torch.from_numpy(found.x), atol=1e-13, rtol=0)


@pytest.mark.parametrize("method", IMPLICIT)
def test_newton_takes_over_where_sweeps_diverge_and_solves_a_stiff_linear_equation_exactly(method):
    rate, h = 500.0, 0.1  # sweeps would grow by rate * h / 2 = 25 each
    step = integrate(lambda t, z: -rate * z, f64(1.0), f64(0.0, h), method).z[-1]
    x = -rate * h
    pade = {  # the stability function of the method, textbook
        "implicit-midpoint": (1 + x / 2) / (1 - x / 2),
        "gauss-legendre-4": (1 + x / 2 + x**2 / 12) / (1 - x / 2 + x**2 / 12),
        "gauss-legendre-6": (1 + x / 2 + x**2 / 10 + x**3 / 120) / (1 - x / 2 + x**2 / 10 - x**3 / 120),
    }
    assert float(step) == pytest.approx(pade[method], abs=1e-12)


def test_newton_is_differentiated_through():
    h = f64(0.0, 0.1)
    z0 = f64(1.0).requires_grad_()
    rate = f64(500.0).requires_grad_()
    end = integrate(lambda t, z: -rate * z, z0, h, "implicit-midpoint").z[-1]
    by_z0, by_rate = torch.autograd.grad(end.sum(), (z0, rate))
    assert float(by_z0) == pytest.approx((1 - 25) / (1 + 25), abs=1e-12)
    assert float(by_rate) == pytest.approx(-0.1 / (1 + 25) ** 2, abs=1e-12)


def test_a_step_without_solution_names_the_orbit_and_the_time():
    z0 = torch.tensor([[0.0], [50.0]], dtype=torch.float64)
    with pytest.raises(ConvergenceError, match=r"implicit-midpoint: the implicit step of orbit 1 at t = 0 ") as caught:
        integrate(no_solution, z0, f64(0.0, 0.1), "implicit-midpoint")
    assert caught.value.orbit == (1,)
    assert caught.value.time == 0.0


def test_an_orbit_that_fails_can_be_given_up_and_the_others_do_not_notice():
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    z0 = torch.tensor([[0.0], [50.0], [-0.3]], dtype=torch.float64)
    together = integrate(no_solution, z0, t, "gauss-legendre-4", failure="nan")
    assert torch.isnan(together.z[1, 1:]).all()
    assert together.provenance["integrator"]["not_converged"] == 1
    for i in (0, 2):
        assert torch.equal(together.z[i], integrate(no_solution, z0[i], t, "gauss-legendre-4").z)
    assert_close(together.z[0, :, 0], t.tan(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("method", IMPLICIT)
def test_an_orbit_does_not_depend_on_its_neighbours(method, henon_heiles):
    z0 = henon_heiles.sample(6, energy=0.12)
    t = torch.linspace(0, 3, 16, dtype=torch.float64)
    together = integrate(henon_heiles, z0, t, method).z
    for i in range(6):
        assert torch.equal(together[i], integrate(henon_heiles, z0[i], t, method).z)


def test_a_looser_tolerance_leaves_a_larger_residual(tao_oscillator):
    z0, t = f64(1.5, -0.3), f64(0.0, 0.1)
    tight, loose = (integrate(tao_oscillator, z0, t, "implicit-midpoint", tolerance=x).z[-1] for x in (None, 1e-4))
    error = float((tight - loose).abs().max())
    assert 1e-10 < error < 1e-3


def test_float32_converges_to_its_own_rounding(tao_oscillator):
    z0, t = f64(1.5, -0.3), f64(0.0, 0.1)
    single = integrate(tao_oscillator, z0.float(), t.float(), "gauss-legendre-6").z[-1]
    assert single.dtype == torch.float32
    assert_close(single.double(), integrate(tao_oscillator, z0, t, "gauss-legendre-6").z[-1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("wrong", [{"tolerance": 0.0}, {"tolerance": -1e-3}, {"failure": "ignore"}])
def test_options_that_make_no_sense_are_refused(wrong, tao_oscillator):
    with pytest.raises(InputError, match=next(iter(wrong))):
        integrate(tao_oscillator, f64(1.0, 0.0), f64(0.0, 0.1), "implicit-midpoint", **wrong)


def test_the_solver_hands_slow_contractions_to_newton():
    def g(x):
        return 0.95 * x.cos()  # contracts by 0.63 near its fixed point

    def steep(x):
        return 3 * x.cos()  # does not contract

    for function in (g, steep):
        x, done = fixed_point.solve(function, f64(0.9), f64(1.0)[0], None)
        assert bool(done)
        assert_close(x, function(x), atol=1e-14, rtol=0)
    assert math.isfinite(float(x))
