"""Every system is the formula of its source, which SymPy differentiates, at parameters and states where no two terms agree."""

from itertools import pairwise

import pytest
import sympy as sp
import torch

import systems
from systems import HamiltonianSystem, SeparableSystem

# numbers without a relation to each other, so that no slip cancels another
STATE = [0.71, -0.38, 0.29, 0.83, -0.57, 0.46, 0.19, -0.66, 0.92, -0.24, 0.35, -0.78]


def spring(q, p, frequency, mass):
    return p**2 / (2 * mass) + mass * frequency**2 * q**2 / 2


def pendulum(theta, p, gravity, inertia):
    return p**2 / (2 * inertia) + gravity * (1 - sp.cos(theta))


def duffing(x, p, alpha, beta):
    return p**2 / 2 + alpha * x**2 / 2 + beta * x**4 / 4


def lotka_volterra(q, p):
    return p - sp.exp(p) + q - sp.exp(q)


def tao(q, p):
    return (q**2 + 1) * (p**2 + 1) / 2


def henon_heiles(x, y, p_x, p_y, coupling):
    return (p_x**2 + p_y**2) / 2 + (x**2 + y**2) / 2 + coupling * (x**2 * y - y**3 / 3)


def general_henon_heiles(x, y, p_x, p_y, a, b, c, d):
    return (p_x**2 + p_y**2) / 2 + (a * x**2 + b * y**2) / 2 + d * x**2 * y - c * y**3 / 3


def kepler(x, y, p_x, p_y, mu):
    return (p_x**2 + p_y**2) / 2 - mu / sp.sqrt(x**2 + y**2)


def elastic_pendulum(x, y, p_x, p_y, stiffness, gravity):
    length = 1 - gravity / stiffness
    return (p_x**2 + p_y**2) / 2 + stiffness / 2 * (sp.sqrt(x**2 + y**2) - length) ** 2 + gravity * y


def double_pendulum(first, second, p, s, gravity):
    """From the kinetic energy of two unit masses on unit rods, by Legendre's transform with their mass matrix."""
    mass = sp.Matrix([[2, sp.cos(first - second)], [sp.cos(first - second), 1]])
    momenta = sp.Matrix([p, s])
    return (momenta.T * mass.inv() * momenta)[0] / 2 - 2 * gravity * sp.cos(first) - gravity * sp.cos(second)


def two_body(x1, y1, x2, y2, *p):
    return sum(x**2 for x in p) / 2 - 1 / sp.sqrt((x1 - x2) ** 2 + (y1 - y2) ** 2)


def three_body(*z):
    places = [sp.Matrix(z[i : i + 2]) for i in (0, 2, 4)]
    pairs = [(places[i] - places[j]).norm() for i, j in ((0, 1), (0, 2), (1, 2))]
    return sum(x**2 for x in z[6:]) / 2 - sum(1 / d for d in pairs)


def toda(q1, q2, q3, *p):
    return sum(x**2 for x in p) / 2 + sp.exp(q1 - q2) + sp.exp(q2 - q3) + sp.exp(q3 - q1) - 3


def swinging_atwood(r, theta, p_r, p_theta, mass_ratio, gravity):
    height = mass_ratio * r - r * sp.cos(theta)  # of the counterweight and the swinging mass together
    return p_r**2 / 2 / (1 + mass_ratio) + p_theta**2 / 2 / r**2 + gravity * height


def dipole_reduced(rho, z, p_rho, p_z):
    r = sp.sqrt(rho**2 + z**2)
    return (p_rho**2 + p_z**2) / 2 + (1 / rho - rho / r**3) ** 2 / 2


def dipole(x, y, z, *p):
    r = sp.sqrt(x**2 + y**2 + z**2)
    velocity = sp.Matrix(p) - sp.Matrix([-y, x, 0]) / r**3
    return velocity.dot(velocity) / 2


HAMILTONIANS = {
    "harmonic-oscillator": (spring, {"frequency": 1.7, "mass": 0.6}),
    "pendulum": (pendulum, {"gravity": 2.3, "inertia": 1.4}),
    "duffing": (duffing, {"alpha": -0.7, "beta": 1.9}),
    "lotka-volterra": (lotka_volterra, {}),
    "tao-oscillator": (tao, {}),
    "henon-heiles": (henon_heiles, {"coupling": 0.8}),
    "general-henon-heiles": (general_henon_heiles, {"a": 1.3, "b": 0.7, "c": -0.9, "d": 0.6}),
    "kepler": (kepler, {"mu": 1.6}),
    "elastic-pendulum": (elastic_pendulum, {"stiffness": 5.3, "gravity": 1.2}),
    "double-pendulum": (double_pendulum, {"gravity": 3.7}),
    "two-body": (two_body, {}),
    "three-body": (three_body, {}),
    "toda-ring": (toda, {}),
    "swinging-atwood": (swinging_atwood, {"mass_ratio": 2.6, "gravity": 1.7}),
    "dipole-reduced": (dipole_reduced, {}),
    "dipole": (dipole, {}),
}


@pytest.mark.parametrize("name", HAMILTONIANS)
def test_a_hamiltonian_and_its_field_are_those_of_the_formula(name):
    formula, parameters = HAMILTONIANS[name]
    system = systems.get(name, **parameters)
    n = system.dim // 2
    values = STATE[: system.dim]
    symbols = sp.symbols(f"z0:{system.dim}", real=True)
    h = formula(*symbols, **{key: sp.Float(repr(value), 30) for key, value in parameters.items()})
    at = {symbol: sp.Float(repr(value), 30) for symbol, value in zip(symbols, values, strict=True)}
    slope = [float(sp.diff(h, symbol).evalf(25, subs=at)) for symbol in symbols]
    z = torch.tensor(values, dtype=torch.float64)
    energy = float(h.evalf(25, subs=at))
    scale = max(abs(x) for x in [energy, *slope])
    assert float(system.hamiltonian(z)) == pytest.approx(energy, rel=0, abs=1e-14 * scale)
    expected = [*slope[n:], *(-x for x in slope[:n])]
    assert system.vector_field(0.0, z).tolist() == pytest.approx(expected, rel=0, abs=1e-14 * scale)
    if isinstance(system, SeparableSystem):
        assert system.velocity(z[n:]).tolist() == pytest.approx(expected[:n], rel=0, abs=1e-14 * scale)
        assert system.force(z[:n]).tolist() == pytest.approx(expected[n:], rel=0, abs=1e-14 * scale)
        parts = float(system.kinetic(z[n:])), float(system.potential(z[:n]))
        assert sum(parts) == pytest.approx(energy, rel=0, abs=1e-14 * scale)
        if name != "lotka-volterra":
            still = h.subs(dict.fromkeys(symbols[n:], 0)).evalf(25, subs=at)
            assert parts[1] == pytest.approx(float(still), rel=0, abs=1e-14 * scale)


def test_the_chain_is_the_sum_over_its_springs():
    chain = systems.get("fput-alpha", alpha=0.4)
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(64, generator=generator, dtype=torch.float64) / 3
    q, p = [0.0, *z[:32].tolist(), 0.0], z[32:].tolist()
    stretches = [b - a for a, b in pairwise(q)]
    energy = sum(x**2 for x in p) / 2 + sum(s**2 / 2 + 0.4 * s**3 / 3 for s in stretches)
    pull = [s + 0.4 * s**2 for s in stretches]
    force = [after - before for before, after in pairwise(pull)]
    assert float(chain.hamiltonian(z)) == pytest.approx(energy, rel=1e-14)
    assert chain.force(z[:32]).tolist() == pytest.approx(force, rel=0, abs=1e-14)
    assert chain.vector_field(0.0, z).tolist() == pytest.approx([*p, *force], rel=0, abs=1e-14)
    assert float(chain.potential(torch.zeros(32, dtype=torch.float64))) == 0


x, v, w, s = STATE[0], STATE[1], STATE[1], STATE[2]
FIELDS = {
    "van-der-pol": ({"mu": 1.3}, [v, 1.3 * (1 - x**2) * v - x], 1.3 * (1 - x**2)),
    "fitzhugh-nagumo": (
        {"a": 0.6, "b": 0.9, "epsilon": 0.11, "current": 0.4},
        [x - x**3 / 3 - w + 0.4, 0.11 * (x + 0.6 - 0.9 * w)],
        1 - x**2 - 0.11 * 0.9,
    ),
    "lorenz": (
        {"sigma": 7.0, "rho": 23.0, "beta": 2.1},
        [7.0 * (v - x), x * (23.0 - s) - v, x * v - 2.1 * s],
        -(7.0 + 1 + 2.1),
    ),
    "forced-duffing": (
        {"delta": 0.21, "alpha": -0.9, "beta": 1.1, "gamma": 0.45, "omega": 1.3},
        [v, 0.45 * float(sp.cos(1.3 * 0.7)) - 0.21 * v + 0.9 * x - 1.1 * x**3],
        -0.21,
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_without_a_hamiltonian_is_that_of_the_formula(name):
    parameters, expected, divergence = FIELDS[name]
    system = systems.get(name, **parameters)
    z = torch.tensor(STATE[: system.dim], dtype=torch.float64)
    assert system.vector_field(0.7, z).tolist() == pytest.approx(expected, rel=0, abs=1e-14)
    assert float(system.divergence(z)) == pytest.approx(divergence, rel=1e-14)


def test_every_registered_hamiltonian_has_its_formula_here():
    own = {name for name in systems.names() if type(systems.get(name)).__module__.startswith("systems.")}
    hamiltonian = {name for name in own if isinstance(systems.get(name), HamiltonianSystem)}
    assert hamiltonian == HAMILTONIANS.keys() | {"fput-alpha"}


RESTING = {
    "toda-ring": ([0.0] * 6, 0.0),
    "henon-heiles": ([0.0] * 4, 0.0),
    "fput-alpha": ([0.0] * 64, 0.0),
    "pendulum": ([0.0, 0.0], 0.0),
    "harmonic-oscillator": ([0.0, 0.0], 0.0),
    "double-pendulum": ([0.0] * 4, -3 * 9.81),
    "tao-oscillator": ([0.0, 0.0], 0.5),
    "lotka-volterra": ([0.0, 0.0], -2.0),
    "duffing": ([1.0, 0.0], -0.25),
    "elastic-pendulum": ([0.0, -1.0, 0.0, 0.0], 1.0 / 8 - 1),
}


@pytest.mark.parametrize("name", RESTING)
def test_a_state_of_rest_has_the_energy_that_is_told_and_no_rates(name):
    state, energy = RESTING[name]
    system, z = systems.get(name), torch.tensor(state, dtype=torch.float64)
    assert float(system.hamiltonian(z)) == pytest.approx(energy, abs=1e-15)
    assert float(system.vector_field(0.0, z).abs().max()) < 1e-15
