"""Period and amplitude of an oscillation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.interpolate import PPoly
from scipy.optimize import brentq
from torch import Tensor

from physlearn.metrics.spline import splines
from systems import Orbit

LEAST_SWING = 0.2  # of the largest: anything smaller is noise about the middle


def period(orbit: Orbit, coordinate: int | str = 0) -> Float[Tensor, "*batch"]:
    """The mean period of a coordinate, in units of t; NaN with fewer than two upward swings.

    A period is the time between two upward crossings of the middle of the coordinate's range. They are found on cubic
    splines, to fourth order in the step; crossings within noise about the middle count once. Cut off a transient before.
    Raises InputError for a coordinate that the orbit does not have.

    >>> t = torch.linspace(0, 20, 201)
    >>> print(f"{period(Orbit(t, torch.sin(2 * torch.pi * t / 3)[:, None])):.4f}")
    3.0000
    """
    means = [_mean_step(cycles(spline)) if spline is not None else float("nan") for spline in splines(orbit, coordinate)]
    return torch.tensor(means, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def amplitude(orbit: Orbit, coordinate: int | str = 0) -> Float[Tensor, "*batch"]:
    """Half of the mean distance between the maxima and the minima of the coordinate; NaN where there is not one of each.

    Extremes are found between the samples too, on the same splines as the `period`, with the same errors.

    >>> t = torch.linspace(0, 20, 41)
    >>> print(f"{amplitude(Orbit(t, 2 + 0.7 * t.cos()[:, None])):.3f}")
    0.700
    """
    heights = [_mean_height(spline) if spline is not None else float("nan") for spline in splines(orbit, coordinate)]
    return torch.tensor(heights, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def cycles(spline: PPoly) -> NDArray[np.float64]:
    """When each upward swing begins: the crossings that divide the oscillation into its periods."""
    starts, extremes = _swings(spline)
    return starts[extremes > 0]


def _mean_step(starts: NDArray[np.float64]) -> float:
    return float((starts[-1] - starts[0]) / (len(starts) - 1)) if len(starts) > 1 else float("nan")


def _mean_height(spline: PPoly) -> float:
    _, extremes = _swings(spline)
    high, low = extremes[extremes > 0], extremes[extremes < 0]
    return float((high.mean() - low.mean()) / 2) if len(high) and len(low) else float("nan")


def _swings(spline: PPoly) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When each whole swing leaves the middle, and how far it goes; noise about the middle is no swing."""
    x = spline(spline.x)
    middle, size = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    crossings = _crossings(spline, middle)
    turning = spline.derivative().roots(extrapolate=False)
    heights = spline(turning) - middle
    swings: list[tuple[float, float]] = []
    for a, b in pairwise(crossings):
        inside = heights[(turning > a) & (turning < b)]
        if not len(inside):
            continue
        extreme = inside[np.abs(inside).argmax()]
        if abs(extreme) < LEAST_SWING * size:
            continue
        if swings and swings[-1][1] * extreme > 0:  # still the same swing, cut by noise about the middle
            a, before = swings.pop()
            extreme = max(before, extreme, key=abs)
        swings.append((a, extreme))
    starts, extremes = np.array(swings).reshape(-1, 2).T
    return starts, extremes


def _crossings(spline: PPoly, middle: float) -> NDArray[np.float64]:
    """When the spline passes the middle, in order; a root at a knot, which rounding may hide from both pieces, included."""
    roots = spline.solve(middle, extrapolate=False)
    above = spline(spline.x) >= middle
    hidden = []
    for i in np.flatnonzero(above[1:] != above[:-1]):
        a, b = spline.x[i], spline.x[i + 1]
        slack = 1e-9 * (b - a)
        if not ((roots >= a - slack) & (roots <= b + slack)).any():
            hidden.append(brentq(lambda t: spline(t) - middle, a, b))
    return np.sort(np.concatenate([roots, hidden]))
