"""A task on the vector field of the van der Pol oscillator (figure 5 of the paper)."""

from __future__ import annotations

import systems
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import forecasting_of, orbits_of
from physlearn.tasks.task import Task


@register("van-der-pol")
def van_der_pol(mu: float = 2.7, orbits: int = 200, seed: int = 0) -> Task:
    """Return a task in which a network learns (v, dv/dt) from short orbits around the limit cycle.

    Parameters
    ----------
    mu
        Parameter of the oscillator; defaults to that of the paper.
    orbits
        Number of orbits in each training part.
    seed
        Random seed of the initial states.

    Returns
    -------
    Task
        The task ``"van-der-pol"``.
    """
    system = systems.get("van-der-pol", mu=mu)
    return Task(
        name="van-der-pol",
        title=f"van der Pol oscillator, mu = {mu:g}, by a network of its vector field",
        model="nn",
        learning={"variant": "two-stage"},
        data=orbits_of(system, orbits, samples=50, dt=0.05, seed=seed, sample={}),
        forecasting=forecasting_of(system, ("euler", "rk4"), orbits=8, time=25.0, dt=0.05, seed=seed, sample={}),
    )
