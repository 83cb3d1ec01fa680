"""Spline interpolation on an equally spaced grid as a matrix, because the pieces are linear in the values on the grid."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import make_interp_spline
from torch import Tensor

from systems import InputError

Kind = Literal["linear", "quadratic", "cubic"]
DEGREES: dict[str, int] = {"linear": 1, "quadratic": 2, "cubic": 3}
LARGEST = 2000  # points; the matrix of their spline takes 32 bytes per pair of points, 128 MB in all


@lru_cache(maxsize=32)
def spline_coefficients(points: int, kind: Kind) -> tuple[Float[Tensor, "cells 4 points"], float]:
    """Return the matrix from values on the grid 0, 1, ..., points - 1 to the pieces of their spline, and the start of cell 0.

    Each cell has width 1, and the matrix gives its coefficients of 1, u, u^2 and u^3, where u is the distance from its left
    end. The first and the last cell continue the spline linearly. The cells of linear and cubic splines lie between the points
    of the grid, and those of quadratic splines around the points, as the pieces meet halfway. The spline is as smooth as its
    degree allows (C^0, C^1, C^2), with the not-a-knot condition at its ends.

    Raises InputError for an unknown kind, for too few points, or for more than LARGEST points.
    """
    if kind not in DEGREES:
        raise InputError(f"kind must be one of {', '.join(DEGREES)}, not {kind!r}")
    degree = DEGREES[kind]
    if points < degree + 2:
        raise InputError(f"a {kind} table needs at least {degree + 2} points, not {points}")
    if points > LARGEST:
        raise InputError(f"a table can have at most {LARGEST} points, not {points}; capture the function at fewer points")
    offset = 0.5 if degree == 2 else 0.0
    spline = make_interp_spline(np.arange(points), np.eye(points), k=degree)
    left = np.arange(points - 1 + 2 * offset) - offset
    taylor = [spline(left + 0.5, order) for order in range(degree + 1)]  # at the middle of each cell, away from the knots
    middle = [taylor[k] / (1, 1, 2, 6)[k] if k <= degree else np.zeros_like(taylor[0]) for k in range(4)]
    inner = np.stack(_shifted(middle, -0.5), axis=1)
    first, last = inner[0], np.stack(_shifted(list(inner[-1]), 1.0))
    zero = np.zeros(points)
    before = np.stack([first[0] - first[1], first[1], zero, zero])
    after = np.stack([last[0], last[1], zero, zero])
    return torch.from_numpy(np.concatenate([before[None], inner, after[None]])), -offset - 1


def _shifted(c: list[np.ndarray], by: float) -> list[np.ndarray]:
    """Return the coefficients of the cubic c(u + by)."""
    a0, a1, a2, a3 = c
    return [
        a0 + by * (a1 + by * (a2 + by * a3)),
        a1 + by * (2 * a2 + 3 * by * a3),
        a2 + 3 * by * a3,
        a3,
    ]
