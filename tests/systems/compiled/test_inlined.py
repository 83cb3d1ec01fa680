"""Code for many steps of a field."""

import numpy as np
import pytest
import torch

import systems
from systems.compiled import inlined, stepping, tangent
from systems.compiled.traced import field_of_function, field_of_system

YOSHIDA = (1.3512071919596578, -1.7024143839193155, 1.3512071919596578)
METHODS = {
    "euler": stepping.Explicit("EULER"),
    "rk4": stepping.Explicit("RK4"),
    "leapfrog": stepping.Explicit("COMPOSED", separable=True),
    "yoshida-4": stepping.Explicit("COMPOSED", YOSHIDA, separable=True),
}


def methods_of(system):
    return [name for name, method in METHODS.items() if getattr(system, "separable", False) or not method.separable]


FEW = ("henon-heiles", "duffing", "lorenz")  # by all methods, alone and side by side: all systems differ in the same way
CASES = [
    *((name, method, n) for name in FEW for method in methods_of(systems.get(name)) for n in (1, 18)),
    *((name, methods_of(systems.get(name))[-1], 1) for name in systems.names() if name not in FEW),
]


def by_both(monkeypatch, run):
    """What ``run`` returns by solvers that call the field, and by code for many steps."""
    monkeypatch.setattr(inlined, "WORTH", float("inf"))
    called = run()
    monkeypatch.setattr(inlined, "WORTH", 0)
    return called, run()


def stepped(method, field, z0, steps=(40, 24), dt=1e-3, clock=0.7, period=None):
    since = dt * np.concatenate([[0], np.cumsum(steps)])
    return stepping.integrate(method, field, z0, stepping.Grid(since, np.array(steps), clock, period, samples=16))


@pytest.mark.parametrize(("name", "method", "n"), CASES)
def test_the_states_are_those_of_the_method_that_calls_the_field(name, method, n, monkeypatch):
    system = systems.get(name)
    z0 = system.sample(n, seed=0).numpy()
    called, own = by_both(monkeypatch, lambda: stepped(METHODS[method], field_of_system(system), z0, period=system.period))
    for one, other in zip(called, own, strict=True):  # at the output times, and at sampled steps
        np.testing.assert_allclose(other, one, rtol=1e-13, atol=1e-14 * np.abs(one).max())


@pytest.mark.parametrize("n", [1, 18])
@pytest.mark.parametrize("method", METHODS)
def test_deviation_vectors_are_those_of_the_method_that_calls_the_field(method, n, monkeypatch):
    system = systems.get("henon-heiles")
    z0 = system.sample(n, seed=0, energy=0.1).numpy()
    w = np.random.default_rng(0).normal(size=(n, 2, 4))
    stretches = 0.05, np.array([7, 10, 10]), np.array([-1, 0, 0]), True

    def run():
        return tangent.carry(METHODS[method], field_of_system(system), z0, w, np.ones_like(z0), *stretches)

    called, own = by_both(monkeypatch, run)
    for one, other in zip(called, own, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("n", [1, 18])
def test_the_time_of_each_step_is_that_of_the_clock_within_the_period(n, monkeypatch):
    def rate(t, z):  # by explicit Euler, z is the sum of t dt over the steps
        return t + 0.0 * z

    z0 = np.linspace(0, 1, n)[:, None].repeat(2, 1)
    times = 0.7 + 0.01 * np.arange(64)
    for period in (None, 0.25):
        called, own = by_both(
            monkeypatch, lambda p=period: stepped(METHODS["euler"], field_of_function(rate, 2), z0, dt=0.01, period=p)
        )
        end = z0 + 0.01 * (times if period is None else times % period).sum()
        np.testing.assert_allclose(own[0][:, -1], end, rtol=1e-13)
        np.testing.assert_array_equal(own[0], called[0])


def test_a_field_gets_code_of_its_own_when_so_many_steps_have_been_taken(monkeypatch):
    monkeypatch.setattr(inlined, "WORTH", 100)
    field = field_of_function(lambda t, z: -z, 2).field
    steps = field.steps("EULER", (1.0,), 1)
    assert steps.address(60) is None
    assert field.steps("EULER", (1.0,), 16).address(60) is None  # another code, which counts for itself
    assert steps.address(60) is not None


def test_long_steps_and_other_methods_are_called(monkeypatch):
    monkeypatch.setattr(inlined, "WORTH", 0)
    system = systems.get("henon-heiles")
    assert field_of_system(system).field.steps("SYMPLECTIC_EULER", (1.0,), 1).address(1) is None
    monkeypatch.setattr(inlined, "LONGEST", 20)
    z0 = system.sample(2, seed=0, energy=0.1).numpy()
    field = field_of_function(system.vector_field, 4)
    assert field.field.steps("RK4", (1.0,), 16).address(1) is None
    found, _ = stepped(METHODS["rk4"], field, z0)
    t = torch.tensor([0.0, 0.064], dtype=torch.float64)
    np.testing.assert_allclose(found[:, -1], system.orbit(torch.from_numpy(z0), t).z[:, -1], rtol=1e-11, atol=1e-13)
