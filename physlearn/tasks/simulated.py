"""Data of the tasks of simulated systems: each part has its own orbits."""

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
    """Return a function that simulates the orbits of a part from its own initial states.

    Parameters
    ----------
    system
        System to simulate.
    orbits
        Number of orbits in each training part; the other parts have a fraction of it.
    samples, dt
        Number of states of each orbit, and the time between them.
    seed
        Random seed.
    sample
        Arguments of ``System.sample``.
    """
    check_settings(orbits, seed)
    if samples < 2 or not dt > 0:
        raise InputError(f"a task needs orbits of at least 2 samples with a positive dt, not samples={samples}, dt={dt}")
    t = torch.arange(samples, dtype=torch.float64) * dt

    def of_part(part: str) -> Orbit:
        n = max(1, round(SHARES[part] * orbits))
        return system.orbit(system.sample(n, seed=seed_of(part, seed), **sample), t)

    return of_part


def check_settings(orbits: int, seed: int) -> None:
    """Raise InputError unless the number of orbits is enough for all parts and the seed is valid."""
    if not (isinstance(orbits, Integral) and isinstance(seed, Integral)):
        raise InputError(f"orbits and seed must be whole numbers, not {orbits} and {seed}")
    if abs(seed) >= 2**32:
        raise InputError(f"the seed of orbits must be a whole number of size below 2^32, not {seed}")
    if orbits < 5:
        raise InputError(f"a task needs at least 5 orbits, not {orbits}")


def seed_of(part: str, seed: int) -> int:
    """Return the seed of the initial states of a part, which differs between all parts of all seeds."""
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
    """Return a function that simulates long orbits from initial states drawn with the seed of the test part."""

    def make() -> Forecasting:
        z0 = system.sample(orbits, seed=seed_of("test", seed), **sample)
        t = torch.arange(round(time / dt) + 1, dtype=torch.float64) * dt
        energy = system.hamiltonian if isinstance(system, HamiltonianSystem) else None
        return Forecasting(system.orbit(z0, t), methods, energy, metrics.truth_horizon(system, z0, t))

    return make
