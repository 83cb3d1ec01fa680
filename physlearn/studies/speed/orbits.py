"""Speed of orbit integration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch

from physlearn import integrate
from physlearn.studies.speed.stopwatch import Taken, clocked, side_by_side
from systems.hamiltonian import HenonHeiles

METHODS = ("rk4", "leapfrog")
STEPS, DT = 20, 0.1


def rows(devices: Sequence[str], sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the steps per second of all orbits of Henon-Heiles, and the ratio to the CPU, one row per case."""
    system = HenonHeiles()
    for method in METHODS:
        for size in sizes:

            def measure(device: str, method: str = method, size: int = size) -> Taken:
                z0 = system.sample(size, energy=1 / 12).to(device)
                t = torch.arange(STEPS + 1, dtype=z0.dtype, device=device) * DT
                return clocked(partial(integrate, system, z0, t, method=method, progress=False), device)

            case: dict[str, Any] = {"what": "orbits", "case": f"henon-heiles, {method}", "how": "all at once", "size": size}
            yield from side_by_side(devices, measure, size * STEPS, **case)
