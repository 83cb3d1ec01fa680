"""What the tasks of simulated systems share: orbits of their own for each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import torch

from physlearn import metrics
from physlearn.tasks.task import PARTS, Forecasting
from systems import HamiltonianSystem, InputError, Orbit, System

SHARES = {"meta-training": 1.0, "meta-validation": 0.2, "tuning": 0.2, "training": 1.0, "validation": 0.2, "test": 0.4}


def orbits_of(
    system: System, orbits: int, samples: int, dt: float, seed: int, sample: Mapping[str, Any]
) -> Callable[[str], Orbit]:
    """Orbits for each part from initial states of its own: so many to learn from, a share of them in the other parts.

    orbits: in the training parts, each of ``samples`` states, ``dt`` apart. sample: arguments of the system's ``sample``.
    """
    check_settings(orbits, seed)
    if samples < 2 or not dt > 0:
        raise InputError(f"a task needs orbits of at least 2 samples, dt apart, not {samples}, {dt}")
    t = torch.arange(samples, dtype=torch.float64) * dt

    def of_part(part: str) -> Orbit:
        n = max(1, round(SHARES[part] * orbits))
        return system.orbit(system.sample(n, seed=seed_of(part, seed), **sample), t)

    return of_part


def check_settings(orbits: int, seed: int) -> None:
    """Raise InputError unless these are a number of orbits that makes six parts, and a seed."""
    if not (isinstance(orbits, Integral) and isinstance(seed, Integral)):
        raise InputError(f"orbits and seed are whole numbers, not {orbits} and {seed}")
    if abs(seed) >= 2**32:
        raise InputError(f"the seed of orbits is a whole number below 2^32, not {seed}")
    if orbits < 5:
        raise InputError(f"a task needs at least 5 orbits, not {orbits}")


def seed_of(part: str, seed: int) -> int:
    """The seed of a part's initial states: no two parts, of one seed or of two, have the same."""
    return len(PARTS) * seed + PARTS.index(part)


def forecasting_of(
    system: System,
    methods: tuple[str, ...],
    orbits: int,
    time: float,
    dt: float,
    seed: int,
    sample: Mapping[str, Any],
) -> Callable[[], Forecasting]:
    """So many initial states, drawn from the test part's seed, followed for long."""

    def make() -> Forecasting:
        z0 = system.sample(orbits, seed=seed_of("test", seed), **sample)
        t = torch.arange(round(time / dt) + 1, dtype=torch.float64) * dt
        energy = system.hamiltonian if isinstance(system, HamiltonianSystem) else None
        return Forecasting(system.orbit(z0, t), methods, energy, metrics.truth_horizon(system, z0, t))

    return make
