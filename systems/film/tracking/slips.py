"""Splices and slips of a film's time, at which the phase of a swing jumps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from systems.film.tracking.arrays import Floats
from systems.film.tracking.motion import Motion

PERIODS = 1.5  # on each side of a jump, over which the phase is a line
SURE = 8.0  # standard errors by which the phase must jump
SMALLEST = 0.1  # of a frame: a smaller jump does no harm
FEWEST = 8  # angles on each side, four per parameter of a line


def stretches_between_slips(t: Floats, x: Floats, motion: Motion) -> list[slice]:
    """Find the stretches within which the phase of a swing does not jump.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times [s] and angles [rad].
    motion
        The motion as a whole.

    Returns
    -------
    list of slice
        Indices of each stretch, one more than there are jumps.
    """
    _, rate, _ = motion.swing(t)
    off = x - motion.centre - motion.swing(t)[0]
    near = PERIODS * motion.period
    step = float(np.median(np.diff(t)))
    if t[-1] - t[0] < 2 * near:
        return [slice(0, len(t))]
    score, jump = np.zeros(len(t)), np.zeros(len(t))
    for k in range(FEWEST, len(t) - FEWEST):
        before, after = slice(int(np.searchsorted(t, t[k] - near)), k), slice(k, int(np.searchsorted(t, t[k] + near)))
        at = (t[k - 1] + t[k]) / 2
        (a, va), (b, vb) = (_lateness(t[part] - at, off[part], rate[part]) for part in (before, after))
        jump[k], score[k] = b - a, abs(b - a) / max(float(np.sqrt(va + vb)), 1e-12)
    score[np.abs(jump) < SMALLEST * step] = 0
    found: list[int] = []
    for k in np.argsort(-score):
        if score[k] < SURE:
            break
        if all(abs(t[k] - t[other]) > near for other in found):
            found.append(int(k))
    edges = [0, *sorted(found), len(t)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _lateness(tau: Floats, off: Floats, rate: Floats) -> tuple[float, float]:
    """Return how late a swing is at ``tau`` = 0 [s], where lateness is a line, and the variance of that."""
    if len(tau) < FEWEST:
        return 0.0, np.inf
    columns = -np.stack([rate, rate * tau], 1)
    (a, b), (_, d) = columns.T @ columns
    if (a * d - b * b) * 1e12 < (a + d) ** 2:  # the condition of that matrix
        return 0.0, np.inf
    inverse = np.array([[d, -b], [-b, a]]) / (a * d - b * b)
    fit = inverse @ (columns.T @ off)
    rest = off - columns @ fit
    # neighbouring residuals may be alike, so that half of them count
    variance = 2 * float(rest @ rest) / max(len(rest) - 2, 1) * float(inverse[0, 0])
    return float(fit[0]), variance
