"""Recurrence: when an orbit or a measured series comes back to where it was, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from physlearn.chaos.signals.series import states
from systems import InputError, Orbit
from systems.brief import Brief
from systems.scalars import whole
from systems.size import check_memory

RATE = 0.05  # default part of all pairs that are recurrences


@dataclass(frozen=True, repr=False)
class Recurrence(Brief):
    """Measures of a recurrence matrix.

    Parameters
    ----------
    rate
        Recurrence rate: part of all pairs of times that are recurrences.
    determinism
        Part of the recurrences on diagonal lines, along which two stretches of the orbit stay together.
    mean_diagonal, longest_diagonal
        Mean and greatest length of diagonal lines, in time steps.
    entropy
        Shannon's entropy of the lengths of diagonal lines, in natural units.
    laminarity
        Part of the recurrences on vertical lines, along which the orbit stays where it was at one time.
    trapping_time
        Mean length of vertical lines, in time steps.
    """

    rate: float
    determinism: float
    mean_diagonal: float
    longest_diagonal: int
    entropy: float
    laminarity: float
    trapping_time: float


def recurrence_matrix(
    data: Orbit | Tensor,
    *,
    rate: float | None = None,
    threshold: float | None = None,
    deviations: float | None = None,
    window: int = 1,
) -> Bool[Tensor, "N N"]:
    """Return at which pairs of times an orbit is in the same place.

    At most one of the three conditions is given; by default the recurrence rate is 0.05. The distance of two states adds the
    squares of their coordinates in their own units, so divide coordinates whose units differ by their spreads first. Angles
    are measured modulo their period.

    Parameters
    ----------
    data : Orbit, or shape ``(N, D)`` or ``(N,)``
        One orbit, or one series.
    rate
        Part of all pairs of different times that are recurrences, which sets the threshold.
    threshold
        Largest Euclidean distance of two states.
    deviations
        The same, in standard deviations: the root mean square distance of the states from their mean.
    window
        With a rate, pairs that are closer in time than so many steps do not count, as they are neighbours along the orbit (the
        Theiler window).

    Returns
    -------
    Tensor, shape ``(N, N)``
        True for recurrences. The matrix is symmetric.

    Raises
    ------
    InputError
        For invalid arguments, and for gaps.

    References
    ----------
    Eckmann, Kamphorst, Ruelle, Europhys. Lett. 4, 973 (1987).

    Examples
    --------
    >>> recurrence_matrix([0.0, 1.0, 0.1], threshold=0.5).int().tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    """
    conditions = {"rate": rate, "threshold": threshold, "deviations": deviations}
    given = {name: value for name, value in conditions.items() if value is not None}
    if len(given) > 1:
        raise InputError(f"only one of rate, threshold and deviations can be given, not {' and '.join(given)}")
    (name, value), *_ = (given or {"rate": RATE}).items()
    if not (isfinite(value) and value > 0) or (name == "rate" and value >= 1):
        raise InputError(f"{name} must be {'between 0 and 1' if name == 'rate' else 'a positive number'}, not {value}")
    z, periods = states(data)
    n = len(z)
    if not 1 <= whole("window", window) < n:
        raise InputError(f"window must be from 1 to {n - 1} steps, not {window}")
    check_memory(4 * n * n, f"the distances of {n} states from each other")
    distance = np.sqrt(sum(_apart(z[:, i], periods[i]) for i in range(z.shape[1])))
    if name == "rate":
        value = float(np.quantile(distance[np.triu_indices(n, window)], value, method="inverted_cdf"))
    elif name == "deviations":
        if np.isfinite(periods).any():
            raise InputError("the standard deviation of an angle depends on where it is cut; give a threshold or a rate")
        value *= float(np.sqrt(((z - z.mean(0)) ** 2).sum(-1).mean()))
    return torch.from_numpy(distance <= value)


def recurrence_measures(matrix: Bool[Tensor, "N N"], *, shortest: int = 2, window: int = 1) -> Recurrence:
    """Measure the lines of a recurrence matrix (recurrence quantification analysis).

    Parameters
    ----------
    matrix : shape ``(N, N)``
        Recurrences, as from `recurrence_matrix`.
    shortest
        Least length of a line, in time steps.
    window
        Pairs that are closer in time than so many steps are left out. The default leaves out the main diagonal only; for a
        finely sampled orbit, the time in which neighbours part is better.

    Returns
    -------
    Recurrence
        The measures. Those without any recurrence or line are NaN, or 0 for the longest line.

    Raises
    ------
    InputError
        If the matrix is not square, symmetric and boolean, or for other invalid arguments.

    References
    ----------
    Marwan, Romano, Thiel, Kurths, Phys. Rep. 438, 237 (2007).

    Examples
    --------
    >>> recurrence_measures(recurrence_matrix([0.0, 1.0, 0.0, 1.0, 0.0], threshold=0.5)).determinism
    0.75
    """
    recurrent = np.asarray(matrix.cpu() if isinstance(matrix, Tensor) else matrix)
    if recurrent.dtype != bool or recurrent.ndim != 2 or not np.array_equal(recurrent, recurrent.T):
        raise InputError(
            f"matrix must be square, symmetric and boolean, not of shape {recurrent.shape} and {recurrent.dtype}; make it "
            "with recurrence_matrix"
        )
    n = len(recurrent)
    if whole("shortest", shortest) < 2 or not 1 <= whole("window", window) < n:
        raise InputError(f"shortest must be at least 2, and window from 1 to {n - 1}, not {shortest} and {window}")
    kept = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) >= window
    recurrent = recurrent & kept
    diagonals = _lengths([recurrent.diagonal(k) for k in range(window, n)])
    verticals = _lengths(list(recurrent.T))
    lines, upright = diagonals[diagonals >= shortest], verticals[verticals >= shortest]
    part = np.unique(lines, return_counts=True)[1] / max(1, len(lines))
    return Recurrence(
        rate=float(recurrent.sum() / kept.sum()),
        determinism=_ratio(lines.sum(), diagonals.sum()),
        mean_diagonal=_ratio(lines.sum(), len(lines)),
        longest_diagonal=int(lines.max(initial=0)),
        entropy=float(-(part * np.log(part)).sum()) if len(lines) else nan,
        laminarity=_ratio(upright.sum(), verticals.sum()),
        trapping_time=_ratio(upright.sum(), len(upright)),
    )


def _apart(values: np.ndarray, period: float) -> np.ndarray:
    """Return the squared differences of a coordinate."""
    difference = np.subtract.outer(values, values)
    if isfinite(period):
        difference -= np.round(difference / period) * period
    return difference**2


def _lengths(rows: list[np.ndarray]) -> Int[np.ndarray, " L"]:
    """Return the lengths of the runs of True in some rows."""
    joined = np.concatenate([part for row in rows for part in (row, [False])])
    edges = np.diff(np.concatenate([[False], joined]).astype(np.int8))
    return np.asarray(np.nonzero(edges == -1)[0] - np.nonzero(edges == 1)[0])


def _ratio(part: int, whole_: int) -> float:
    return float(part / whole_) if whole_ else nan
