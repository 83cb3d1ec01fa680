"""The double pendulum, chaotic at large swings, by a network of its Hamiltonian, which does not split into T(p) + V(q)."""

from __future__ import annotations

import systems
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import forecasting_of, orbits_of
from physlearn.tasks.task import Task


@register("double-pendulum-hnn")
def double_pendulum(orbits: int = 200, seed: int = 0) -> Task:
    """A Hamiltonian network learns from swings that begin within a radian of hanging down, each for two seconds."""
    system = systems.get("double-pendulum")
    return Task(
        name="double-pendulum-hnn",
        title="double pendulum, by a network of the Hamiltonian",
        model="hnn",
        learning={"variant": "two-stage"},
        data=orbits_of(system, orbits, samples=50, dt=0.04, seed=seed, sample={}),
        forecasting=forecasting_of(system, ("euler", "implicit-midpoint"), orbits=8, time=10.0, dt=0.02, seed=seed, sample={}),
    )
