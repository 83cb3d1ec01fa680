"""Runs that follow one another in one table, each of which starts its time anew."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FEWEST = 3  # rows of a run; with fewer, times that go back are out of order
BACK = 0.5  # of the duration of a run, by which the time goes back at least before the next one


def restarts(t: NDArray[np.float64]) -> list[slice]:
    """Return the rows of each run, where the time goes back to about its first value.

    A time that goes back less, or after only a few rows, is no new run: the rows stay together, out of order.

    Parameters
    ----------
    t : shape ``(T,)``
        Times, which increase within a run.

    Returns
    -------
    list of slice
        Consecutive runs.

    Examples
    --------
    >>> restarts(np.array([0.0, 1, 2, 0, 1, 2, 3]))
    [slice(0, 3, None), slice(3, 7, None)]
    >>> restarts(np.array([0.0, 1, 2, 1.5, 3]))
    [slice(0, 5, None)]
    """
    whole = [slice(0, len(t))]
    steps = np.diff(t)
    ends = np.flatnonzero(steps < 0) + 1
    if not len(ends) or not np.isfinite(t).all():
        return whole
    runs = [slice(int(a), int(b)) for a, b in pairwise([0, *ends, len(t)])]
    durations = np.array([t[run][-1] - t[run][0] for run in runs[:-1]])
    if any(run.stop - run.start < FEWEST for run in runs) or (-steps[ends - 1] < BACK * durations).any():
        return whole
    return runs
