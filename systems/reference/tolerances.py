"""The reference solvers and their tolerances."""

from __future__ import annotations

from math import inf
from typing import Literal

from systems.errors import InputError

Solver = Literal["DOP853", "RK45", "Radau", "BDF", "LSODA", "dopri8"]
SMALLEST_RTOL = 1e-13  # SciPy increases values below 100 machine epsilons, with a warning
# rtol and atol; with smaller values, rounding dominates the error
FINEST = {"DOP853": (0.0, 4e-15), "dopri8": (0.0, 4e-15), "compiled": (0.0, 1e-15), "taylor": (0.0, 2.2e-16)}
USUAL = (1e-12, 1e-12)


def tolerances(solver: str, rtol: float | None, atol: float | None) -> tuple[float, float]:
    """Return the tolerances of a step. If neither is given, they are the smallest useful ones; a single missing one is 1e-12.

    Raises InputError unless both are nonnegative and finite, and at least one is positive.
    """
    if rtol is None and atol is None:
        return FINEST.get(solver, USUAL)
    rtol, atol = (usual if value is None else value for value, usual in zip((rtol, atol), USUAL, strict=True))
    if not (0 <= rtol < inf and 0 <= atol < inf and rtol + atol > 0):
        raise InputError(f"rtol and atol must be positive and finite, or one of them zero, not {rtol} and {atol}")
    return rtol, atol
