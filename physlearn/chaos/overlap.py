"""Whether two clouds of points on a section are of the same chaotic sea, or on the same curve."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, nan
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from physlearn.metrics import hellinger_distance
from physlearn.metrics.spread import circular_mean
from systems import InputError
from systems.floats import takes_arrays

Periods: TypeAlias = Sequence[float | None] | None

FEWEST = 10  # points in a cloud of which anything is said


@takes_arrays("a", "b")
def hellinger(a: Float[Tensor, "M d"], b: Float[Tensor, "N d"], bins: int | None = None, periods: Periods = None) -> float:
    r"""How little the densities of two clouds overlap, counted on a grid: from 0 to 1, where they share no cell.

    .. math:: d^2 = 1 - \sum_k \sqrt{p_k q_k}

    For chaotic orbits, whose points fill an area. The grid has ``bins`` equal cells along each axis over the range of b; what
    of a lies beyond is in a cell of its own, so that a few points far out do not coarsen the rest. By default
    :math:`2 n^{1/(d+2)}` bins for n points in the smaller cloud, Rice's rule for d = 1: cells get smaller and fuller as n
    grows. Two samples of n points of one density are still :math:`d^2 \approx (K - 1) / 4n` apart over K well-filled cells:
    hold a distance against the one of two such samples. NaN where a cloud has fewer than ten points.

    periods: of each axis that is an angle, None for the others; the circle is cut opposite to the mean of b.

    Raises InputError for clouds of different dimensions, points that are not finite, no bins, or periods that are none.
    Source: Hellinger, J. reine angew. Math. 136, 210 (1909); Scott, Multivariate Density Estimation (1992), chapter 3, for
    the power of n.

    >>> square = torch.rand(2, 4000, 2, generator=torch.Generator().manual_seed(0))
    >>> hellinger(square[0], square[1]) < 0.2, hellinger(square[0], square[1] + 1.5) > 0.99
    (True, True)
    """
    _check(a, b, periods)
    a, b = _unrolled(a, b, periods)
    fewest = min(len(a), len(b))
    if fewest < FEWEST:
        return nan
    bins = ceil(2 * fewest ** (1 / (a.shape[-1] + 2))) if bins is None else bins
    if bins < 1:
        raise InputError(f"bins must be at least 1, not {bins}")
    cells = torch.cat([_cells(a, b, bins), _cells(b, b, bins)]).unique(dim=0, return_inverse=True)[1]
    most = int(cells.max()) + 1
    p, q = (torch.bincount(part, minlength=most).double() / len(part) for part in (cells[: len(a)], cells[len(a) :]))
    return float(hellinger_distance(p, q))


@takes_arrays("a", "b", "size")
def nearest(
    a: Float[Tensor, "M d"],
    b: Float[Tensor, "N d"],
    size: Float[Tensor, " d"] | float | None = None,
    periods: Periods = None,
) -> float:
    r"""The mean distance from a point of one cloud to the nearest of the other, in units of the size of b.

    .. math:: d = \frac1{2 s} \Bigl(\frac1M \sum_i \min_j \|a_i - b_j\| + \frac1N \sum_j \min_i \|a_i - b_j\|\Bigr)

    For regular orbits, whose points lie on curves. size: a length, or one for each axis; by default the root mean square
    distance s of the points of b from their centre, which is of no use where an orbit pierces the section at one point
    again and again. Points of one curve are still about a quarter of their spacing apart. NaN where a cloud has fewer than
    ten points. periods: of each axis that is an angle, None for the others; distances between angles are the shortest.

    Raises InputError for clouds of different dimensions, points that are not finite, or a size or period that is not positive.

    >>> angle = torch.linspace(0, 2 * torch.pi, 1000)
    >>> circle = torch.stack([angle.cos(), angle.sin()], dim=-1)
    >>> print(f"{nearest(1.1 * circle, circle):.3f}")
    0.100
    """
    _check(a, b, periods)
    if min(len(a), len(b)) < FEWEST:
        return nan
    a, b = _unrolled(a, b, periods)
    unit = (b - b.mean(0)).square().sum(-1).mean().sqrt() if size is None else torch.as_tensor(size)
    if not (unit > 0).all():
        raise InputError(f"the size of a cloud must be positive, not {unit.tolist()}")
    unit = unit.to(a).expand(a.shape[-1])
    x, y = ((cloud / unit).detach().cpu().double().numpy() for cloud in (a, b))
    box = None
    if periods is not None:
        box = np.array([0.0 if period is None else period / float(u) for period, u in zip(periods, unit, strict=True)])
        x, y = (np.where(box > 0, cloud % np.where(box > 0, box, 1.0), cloud) for cloud in (x, y))
        x, y = (np.where((box > 0) & (cloud >= box), 0.0, cloud) for cloud in (x, y))  # as a remainder may round up
    distances = [cKDTree(of, boxsize=box).query(points)[0].mean() for of, points in ((y, x), (x, y))]
    return float(sum(distances) / 2)


def _unrolled(a: Tensor, b: Tensor, periods: Periods) -> tuple[Tensor, Tensor]:
    """The points with their angles within half a turn of the mean of b."""
    for axis, period in enumerate(periods or ()):
        if period is not None and len(b):
            weights = torch.full_like(b[:, axis], 1 / len(b))
            mean = circular_mean(b[:, axis], weights, period)
            place = torch.arange(b.shape[1], device=b.device) == axis
            a, b = (torch.where(place, (c - mean + period / 2).remainder(period) + mean - period / 2, c) for c in (a, b))
    return a, b


def _check(a: Tensor, b: Tensor, periods: Periods) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InputError(f"clouds are points (M, d) and (N, d), not of shapes {tuple(a.shape)} and {tuple(b.shape)}")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise InputError("the points of a cloud must be finite numbers")
    if periods is not None and len(periods) != a.shape[1]:
        raise InputError(f"{len(periods)} periods are given for {a.shape[1]} axes; give one, or None, for each")
    if not all(period is None or 0 < period < inf for period in periods or ()):
        raise InputError(
            f"a period must be a positive number, or None for an axis that is no angle, not {list(periods or ())}"
        )


def _cells(points: Float[Tensor, "M d"], b: Float[Tensor, "N d"], bins: int) -> Int[Tensor, "M d"]:
    """The cell of each point along each axis; -1 along all of them beyond the range of b."""
    low, high = b.aminmax(dim=0)
    width = (high - low).where(high > low, 1.0)
    cells = ((points - low) / width * bins).floor().clamp(0, bins - 1)
    beyond = ((points < low) | (points > high)).any(-1, keepdim=True)
    return cells.where(~beyond, -1.0).long()
