"""Distances between point clouds on a section, for chaotic seas and for the curves of regular orbits."""

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

FEWEST = 10  # fewest points in a cloud for which a distance is computed


@takes_arrays("a", "b")
def hellinger(a: Float[Tensor, "M d"], b: Float[Tensor, "N d"], bins: int | None = None, periods: Periods = None) -> float:
    r"""Compute the Hellinger distance between the densities of two point clouds, estimated on a grid.

    .. math:: d^2 = 1 - \sum_k \sqrt{p_k q_k}

    Use it for chaotic orbits, whose points fill an area. The grid divides the range of b into equal cells along each axis.
    All points of a outside of this range share one additional cell, so that a few distant points do not coarsen the grid. Two
    samples of n points from the same density still have a distance of :math:`d^2 \approx (K - 1) / 4n` for K well-filled
    cells, so compare a distance with that of two such samples.

    Parameters
    ----------
    a, b : shapes ``(M, d)`` and ``(N, d)``
        Points.
    bins
        Number of cells along each axis; defaults to :math:`2 n^{1/(d+2)}` for n points in the smaller cloud, which is the
        Rice rule for d = 1. Cells become smaller and fuller as n grows.
    periods
        The period of each axis that is an angle, and None for the others. The circle is cut opposite to the mean of b.

    Returns
    -------
    float
        The distance, from 0 for equal densities to 1 for clouds that share no cell; NaN if a cloud has fewer than ten points.

    Raises
    ------
    InputError
        For clouds of different dimensions, points that are not finite, fewer than one bin, or invalid periods.

    References
    ----------
    Hellinger, J. reine angew. Math. 136, 210 (1909); Scott, Multivariate Density Estimation (1992), chapter 3, for the power
    of n.

    Examples
    --------
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
    r"""Compute the mean distance from each point of one cloud to the nearest point of the other, in both directions.

    .. math:: d = \frac1{2 s} \Bigl(\frac1M \sum_i \min_j \|a_i - b_j\| + \frac1N \sum_j \min_i \|a_i - b_j\|\Bigr)

    Use it for regular orbits, whose points lie on curves. Two samples of the same curve still have a distance of about a
    quarter of the spacing of their points.

    Parameters
    ----------
    a, b : shapes ``(M, d)`` and ``(N, d)``
        Points.
    size
        Unit of the distance: a length, or one per axis, which axes in different units need. It defaults to the root mean
        square distance s of the points of b from their centre. Give a size if an orbit crosses the section at a single point
        again and again.
    periods
        The period of each axis that is an angle, and None for the others. The shortest difference between two angles counts.

    Returns
    -------
    float
        The distance in units of the size; NaN if a cloud has fewer than ten points.

    Raises
    ------
    InputError
        For clouds of different dimensions, points that are not finite, or a size or period that is not positive.

    Examples
    --------
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
        x, y = (np.where((box > 0) & (cloud >= box), 0.0, cloud) for cloud in (x, y))  # remainders may be rounded up
    distances = [cKDTree(of, boxsize=box).query(points)[0].mean() for of, points in ((y, x), (x, y))]
    return float(sum(distances) / 2)


def _unrolled(a: Tensor, b: Tensor, periods: Periods) -> tuple[Tensor, Tensor]:
    """Return the points with their angles within half a turn of the mean of b."""
    for axis, period in enumerate(periods or ()):
        if period is not None and len(b):
            weights = torch.full_like(b[:, axis], 1 / len(b))
            mean = circular_mean(b[:, axis], weights, period)
            place = torch.arange(b.shape[1], device=b.device) == axis
            a, b = (torch.where(place, (c - mean + period / 2).remainder(period) + mean - period / 2, c) for c in (a, b))
    return a, b


def _check(a: Tensor, b: Tensor, periods: Periods) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InputError(f"clouds must have the shapes (M, d) and (N, d), not {tuple(a.shape)} and {tuple(b.shape)}")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise InputError("the points of a cloud must be finite numbers")
    if periods is not None and len(periods) != a.shape[1]:
        raise InputError(f"{len(periods)} periods are given for {a.shape[1]} axes; give one, or None, for each")
    if not all(period is None or 0 < period < inf for period in periods or ()):
        raise InputError(
            f"each period must be a positive number, or None for an axis that is not an angle, not {list(periods or ())}"
        )


def _cells(points: Float[Tensor, "M d"], b: Float[Tensor, "N d"], bins: int) -> Int[Tensor, "M d"]:
    """Return the cell of each point along each axis; -1 along all axes for points outside of the range of b."""
    low, high = b.aminmax(dim=0)
    width = (high - low).where(high > low, 1.0)
    cells = ((points - low) / width * bins).floor().clamp(0, bins - 1)
    beyond = ((points < low) | (points > high)).any(-1, keepdim=True)
    return cells.where(~beyond, -1.0).long()
