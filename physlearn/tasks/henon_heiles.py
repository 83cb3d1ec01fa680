"""Tasks on stars in the Henon-Heiles galaxy, with networks of the vector field or the Hamiltonian (figure 6 of the paper)."""

from __future__ import annotations

from collections.abc import Callable

import systems
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import forecasting_of, orbits_of
from physlearn.tasks.task import Task

ENERGIES = {"energy_range": (0.02, 0.125)}
"""Energies of the orbits, which are uniform: orbits are regular at low energies and mostly chaotic at the highest."""


def _task(name: str, model: str, what: str, methods: tuple[str, ...]) -> Callable[..., Task]:
    """Register and return the function that creates the task of that name."""

    def make(orbits: int = 200, seed: int = 0) -> Task:
        system = systems.get("henon-heiles")
        return Task(
            name=name,
            title=f"Henon-Heiles orbits, energies 0.02 to 0.125, by a network of {what}",
            model=model,
            learning={"variant": "two-stage"},
            data=orbits_of(system, orbits, samples=50, dt=0.1, seed=seed, sample=ENERGIES),
            forecasting=forecasting_of(system, methods, orbits=8, time=100.0, dt=0.1, seed=seed, sample=ENERGIES),
        )

    return register(name)(make)


nn = _task("henon-heiles-nn", "nn", "the vector field", ("euler", "rk4"))
hnn = _task("henon-heiles-hnn", "hnn", "the Hamiltonian", ("euler", "implicit-midpoint"))
separable = _task("henon-heiles-hnn-separable", "hnn-separable", "T(p) and one of V(q)", ("euler", "yoshida-4"))
mechanical = _task("henon-heiles-hnn-mechanical", "hnn-mechanical", "p^2 / 2 and one of V(q)", ("euler", "yoshida-4"))
