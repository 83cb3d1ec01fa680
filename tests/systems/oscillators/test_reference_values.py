"""Oscillators of one degree of freedom against exact solutions and quadrature."""

import math

import pytest
import torch
from scipy.integrate import quad

import systems
from physlearn import metrics

DOUBLE = torch.float64


def test_prey_and_predators_come_back_after_their_period():
    system = systems.get("lotka-volterra")
    orbit = system.orbit(torch.tensor([math.log(2), 0.0], dtype=DOUBLE), torch.tensor([0, 1.0, 6.60848267], dtype=DOUBLE))
    torch.testing.assert_close(orbit.z[-1], orbit.z[0], rtol=0, atol=1e-7)
    assert (orbit.z[1] - orbit.z[0]).norm() > 0.3


def test_prey_and_predators_obey_the_equations_of_their_numbers():
    system = systems.get("lotka-volterra")
    z = system.sample(10, seed=0)
    x, y = z.exp().unbind(-1)
    rates = system.vector_field(0.0, z) * z.exp()
    torch.testing.assert_close(rates, torch.stack([x * (1 - y), y * (x - 1)], dim=-1))


def test_the_separatrix_of_the_double_well():
    t = torch.linspace(-3, 3, 13, dtype=DOUBLE)
    exact = torch.stack([math.sqrt(2) / t.cosh(), -math.sqrt(2) * t.sinh() / t.cosh() ** 2], dim=-1)
    orbit = systems.get("duffing").orbit(exact[0], t)
    torch.testing.assert_close(orbit.z, exact, rtol=0, atol=1e-8)


def test_the_period_in_one_well_is_that_of_the_integral():
    """T = 2 int dx / sqrt(2 (E - V)) between the turning points, with x = middle + half sin."""
    energy = -0.1
    inner, outer = (math.sqrt(1 - s * math.sqrt(1 + 4 * energy)) for s in (1, -1))

    def integrand(angle):
        x = (inner + outer) / 2 + (outer - inner) / 2 * math.sin(angle)
        rest = 2 * energy + x**2 - x**4 / 2  # (outer^2 - x^2)(x^2 - inner^2) / 2
        return (outer - inner) / 2 * math.cos(angle) / math.sqrt(rest)

    edge = math.pi / 2 - 1e-6
    period = 2 * quad(integrand, -edge, edge, epsabs=1e-10)[0]
    orbit = systems.get("duffing").orbit(torch.tensor([outer, 0.0], dtype=DOUBLE), torch.linspace(0, 60, 3001, dtype=DOUBLE))
    assert float(metrics.period(orbit)) == pytest.approx(period, rel=1e-5)


def test_the_neuron_rests_without_current_and_fires_with_it():
    t = torch.linspace(0, 400, 2001, dtype=DOUBLE)
    quiet = systems.get("fitzhugh-nagumo", current=0.0)
    rest = quiet.orbit(torch.tensor([-1.0, -0.5], dtype=DOUBLE), t).z[-1]
    assert quiet.vector_field(0.0, rest).abs().max() < 1e-8
    late = systems.get("fitzhugh-nagumo").orbit(torch.tensor([-1.0, -0.5], dtype=DOUBLE), t)[..., 1000:]
    assert float(metrics.amplitude(late)) > 1.5
    other = systems.get("fitzhugh-nagumo").orbit(torch.tensor([1.5, 1.0], dtype=DOUBLE), t)[..., 1000:]
    assert float(metrics.period(late)) == pytest.approx(float(metrics.period(other)), rel=1e-4)  # one limit cycle for all
