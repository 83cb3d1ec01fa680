"""A task on the double pendulum, which is chaotic at large amplitudes and whose Hamiltonian is not separable."""

from __future__ import annotations

import systems
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import forecasting_of, orbits_of
from physlearn.tasks.task import Task


@register("double-pendulum-hnn")
def double_pendulum(orbits: int = 200, seed: int = 0) -> Task:
    """Return a task in which a Hamiltonian network learns from swings of two seconds that start within a radian of rest.

    Parameters
    ----------
    orbits
        Number of orbits in each training part.
    seed
        Random seed of the initial states.

    Returns
    -------
    Task
        The task ``"double-pendulum-hnn"``.
    """
    system = systems.get("double-pendulum")
    return Task(
        name="double-pendulum-hnn",
        title="double pendulum, by a network of the Hamiltonian",
        model="hnn",
        learning={"variant": "two-stage"},
        data=orbits_of(system, orbits, samples=50, dt=0.04, seed=seed, sample={}),
        forecasting=forecasting_of(system, ("euler", "implicit-midpoint"), orbits=8, time=10.0, dt=0.02, seed=seed, sample={}),
    )
