"""The numbers that methods are made of solve the equations that define them, to rounding.

An order that is measured from the error's slope does not see a weight that is off by 1e-9; its algebra does.
"""

from fractions import Fraction

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.linalg import expm

import systems
from physlearn import integrators
from physlearn.flow import Flow
from systems import SeparableSystem

ROUNDING = 1e-13  # Yoshida's table has 15 digits


def step(flow, z, h, method, t=0.0, **options):
    """The states of one step, and the method that took it."""
    taken = integrators.find(method)(Flow.of(flow), **options)
    z = torch.as_tensor(z, dtype=torch.float64)
    return taken.state(taken.step(torch.tensor(t, dtype=torch.float64), taken.start(z, h), h)), taken


class FreeFlight(SeparableSystem):
    """Without forces, at unit speed, positions tell when forces are asked for."""

    coordinates = ("q", "p")

    def __init__(self):
        self.asked_at = []

    def potential(self, q):
        return 0 * q.sum(-1)

    def velocity(self, p):
        return torch.ones_like(p)

    def force(self, q):
        self.asked_at.append(float(q))
        return torch.zeros_like(q)

    def sample(self, n, *, seed=0):
        raise NotImplementedError


def drifts(method):
    """The lengths of the drifts that make up one step, as they are taken."""
    system = FreeFlight()
    step(system, [0.0, 0.0], 1.0, method)
    return np.diff(system.asked_at)


@pytest.mark.parametrize(("method", "stages"), [("leapfrog", 1), ("yoshida-4", 3), ("yoshida-6", 7)])
def test_the_weights_of_a_symmetric_composition_solve_its_order_conditions(method, stages):
    """Hairer, Lubich, Wanner, Geometric Numerical Integration, section V.3.2: those of order 2, 4 and 6."""
    w = drifts(method)
    assert len(w) == stages
    assert_allclose(w, w[::-1], rtol=0, atol=1e-15)
    half_sums = np.cumsum(w) - w / 2
    conditions = {2: w.sum() - 1, 4: (w**3).sum(), 6: [(w**5).sum(), (w**3 * half_sums**2).sum()]}
    for order, defect in conditions.items():
        if order <= integrators.find(method).order:
            assert_allclose(defect, 0, atol=ROUNDING, err_msg=f"of order {order}")


def symplectic_defect(a, b):
    return b[:, None] * a + (b[:, None] * a).T - np.outer(b, b)


@pytest.mark.parametrize("method", ["implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"])
def test_a_gauss_legendre_tableau_is_collocation_at_the_roots_of_legendre(method):
    """Nodes and weights are those of NumPy's quadrature; rows integrate powers up to each node (Butcher's C(s))."""
    cls = integrators.find(method)
    a, b, c = (np.array(x) for x in (cls.a, cls.b, cls.c))
    nodes, weights = np.polynomial.legendre.leggauss(len(b))
    assert_allclose(c, (1 + nodes) / 2, rtol=0, atol=1e-15)
    assert_allclose(b, weights / 2, rtol=0, atol=1e-15)
    for k in range(1, len(b) + 1):
        assert_allclose(a @ c ** (k - 1), c**k / k, rtol=0, atol=1e-15)
    assert_allclose(symplectic_defect(a, b), 0, atol=1e-15)


PADE = {
    "implicit-midpoint": ([1, 1 / 2], [1, -1 / 2]),
    "gauss-legendre-4": ([1, 1 / 2, 1 / 12], [1, -1 / 2, 1 / 12]),
    "gauss-legendre-6": ([1, 1 / 2, 1 / 10, 1 / 120], [1, -1 / 2, 1 / 10, -1 / 120]),
    "euler": ([1, 1], [1]),
    "rk4": ([1, 1, 1 / 2, 1 / 6, 1 / 24], [1]),
}


@pytest.mark.parametrize("method", PADE)
def test_one_step_of_a_linear_equation_is_the_rational_function_of_the_method(method):
    matrix = np.array([[-0.3, 1.1, 0.2], [-0.9, 0.1, 0.4], [0.5, -0.7, -0.2]])
    z0, h = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0.4
    above, below = (
        sum(x * np.linalg.matrix_power(h * matrix, k) for k, x in enumerate(coefficients)) for coefficients in PADE[method]
    )

    def field(t, z):
        return z @ torch.from_numpy(matrix).T

    z, _ = step(field, z0, h, method)
    assert_allclose(z.numpy(), np.linalg.solve(below, above @ z0.numpy()), rtol=0, atol=2e-14)


RK4 = (
    [[], [Fraction(1, 2)], [0, Fraction(1, 2)], [0, 0, 1]],
    [Fraction(1, 6), Fraction(1, 3), Fraction(1, 3), Fraction(1, 6)],
)


def test_rk4_is_its_tableau_where_the_field_depends_on_time_and_state():
    def field(t, z):
        return np.array([np.sin(3 * t) * z[1] + t**3, -z[0] * z[1] + t * z[0]])

    z, t, h = np.array([0.7, -0.4]), 0.3, 0.2
    k = []
    for row in RK4[0]:
        k.append(field(t + h * float(sum(row)), z + h * sum((float(a) * x for a, x in zip(row, k, strict=True)), np.zeros(2))))
    expected = z + h * sum(float(b) * x for b, x in zip(RK4[1], k, strict=True))

    def as_tensor(t, z):
        return torch.stack([(3 * t).sin() * z[..., 1] + t**3, -z[..., 0] * z[..., 1] + t * z[..., 0]], -1)

    found, _ = step(as_tensor, z, h, "rk4", t)
    assert_allclose(found.numpy(), expected, rtol=0, atol=1e-15)


DEGREE = {"euler": 0, "rk4": 3, "implicit-midpoint": 1, "gauss-legendre-4": 3, "gauss-legendre-6": 5}


@pytest.mark.parametrize("method", DEGREE)
def test_a_field_of_time_alone_is_integrated_exactly_up_to_the_degree_of_the_quadrature(method):
    t, h = 0.5, 0.8
    for k in range(DEGREE[method] + 2):
        found, _ = step(lambda time, z, k=k: time**k * torch.ones_like(z), [0.0], h, method, t)
        error = abs(float(found) - ((t + h) ** (k + 1) - t ** (k + 1)) / (k + 1))
        assert error < 1e-14 if k <= DEGREE[method] else error > 1e-5, f"t^{k}: {error}"


def test_leapfrog_and_symplectic_euler_are_kicks_and_drifts_of_a_spring():
    h, (q, p) = Fraction(1, 10), (Fraction(3, 4), Fraction(-1, 2))
    half = p - h / 2 * q
    moved = q + h * half
    leapfrog = [float(moved), float(half - h / 2 * moved)]
    kicked = p - h * q
    euler = [float(q + h * kicked), float(kicked)]
    spring = systems.get("harmonic-oscillator")
    for method, expected in (("leapfrog", leapfrog), ("symplectic-euler", euler)):
        z, _ = step(spring, [0.75, -0.5], 0.1, method)
        assert_allclose(z.numpy(), expected, rtol=0, atol=1e-15)


def test_symplectic_euler_where_h_does_not_split_solves_its_implicit_equations(tao_oscillator):
    z, h = torch.tensor([0.9, -0.4], dtype=torch.float64), 0.05
    q, p = step(tao_oscillator, z, h, "symplectic-euler")[0]
    dq, dp = tao_oscillator.vector_field(0.0, torch.stack([z[0], p]))
    assert_allclose([float(q), float(p)], [float(z[0] + h * dq), float(z[1] + h * dp)], rtol=0, atol=1e-14)


@pytest.mark.parametrize("omega", [1.7, None])
def test_tao_is_the_triple_jump_of_its_three_flows(omega):
    """For a quadratic H each flow is a matrix exponential in the space of both copies, ordered (q, p, x, y)."""
    m = np.array([[1.3, 0.4], [0.4, 0.7]])  # H = z.m.z / 2, which does not split

    class Quadratic(systems.HamiltonianSystem):
        coordinates = ("q", "p")

        def hamiltonian(self, z):
            return ((z @ torch.from_numpy(m)) * z).sum(-1) / 2

        def sample(self, n, *, seed=0):
            raise NotImplementedError

    form = np.kron(np.eye(2), [[0.0, 1.0], [-1.0, 0.0]])

    def placed(i, j):
        whole = np.zeros((4, 4))
        whole[np.ix_([i, j], [i, j])] = m
        return whole

    h = 0.2
    binding = (omega or 0.3 / h) * np.array([[1, 0, -1, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, -1, 0, 1]], dtype=float)
    one, two = placed(0, 3), placed(2, 1)  # H(q, y) and H(x, p)

    def strang(s):
        halves = [expm(s / 2 * form @ quadratic) for quadratic in (one, two)]
        return halves[0] @ halves[1] @ expm(s * form @ binding) @ halves[1] @ halves[0]

    outer = 1 / (2 - 2 ** (1 / 3))
    whole = strang(outer * h) @ strang((1 - 2 * outer) * h) @ strang(outer * h)
    z0 = np.array([0.8, -0.3])
    expected = whole @ np.tile(z0, 2)
    z, taken = step(Quadratic(), z0, h, "tao-4", **({"omega": omega} if omega else {}))
    assert_allclose(z.numpy(), expected[:2], rtol=0, atol=1e-14)
    assert_allclose(taken.report["copy_gap"], np.linalg.norm(expected[:2] - expected[2:]), rtol=1e-10)


def test_the_spring_of_tao_has_its_default_frequency_backward_in_time_too(tao_oscillator):
    for h in (0.1, -0.1):
        assert step(tao_oscillator, [0.9, -0.4], h, "tao-4")[1].report["omega"] == pytest.approx(3.0)


def test_any_positive_frequency_of_taos_spring_is_taken_and_zero_is_not(tao_oscillator):
    assert step(tao_oscillator, [0.9, -0.4], 0.1, "tao-4", omega=0.5)[1].report["omega"] == 0.5
    with pytest.raises(systems.InputError, match="omega"):
        step(tao_oscillator, [0.9, -0.4], 0.1, "tao-4", omega=0.0)


def test_a_gap_that_is_no_number_is_infinite(tao_oscillator):
    _, taken = step(tao_oscillator, [1e200, 1e200], 0.1, "tao-4")
    assert taken.report["copy_gap"] == np.inf


@pytest.mark.parametrize("method", ["symplectic-euler", "implicit-midpoint"])
def test_a_tolerance_is_what_is_left_of_the_equation_of_a_step(method, tao_oscillator):
    """The exact step is that of the default, to rounding; a sweep that leaves 1e-4 is not repeated until 1e-9 is left."""
    exact = step(tao_oscillator, [0.9, -0.4], 0.05, method)[0]
    errors = [
        float((step(tao_oscillator, [0.9, -0.4], 0.05, method, tolerance=x)[0] - exact).abs().max()) for x in (1e-3, 1e-9)
    ]
    assert 1e-9 < errors[0] < 2e-3
    assert errors[1] < 2e-9
