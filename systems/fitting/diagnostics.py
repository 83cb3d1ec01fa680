"""Warnings of a fit: parameters that the data do not determine, no convergence, and residuals that are not noise."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from systems.errors import AccuracyWarning, outside
from systems.fitting.joining import SMALLEST_NOISE, Joined
from systems.fitting.shooting import ROUNDING

CORRELATED = 0.2  # correlation of successive residuals that shows a misfit, if it is significant
SIGNIFICANT = 5.0  # in standard errors
LARGEST_JUMP = 0.01  # between segments, in standard deviations of the noise

Array = np.ndarray


def undetermined(labels: Sequence[str], directions: Sequence[Array]) -> str | None:
    """Return a sentence that names the parameters that the data do not determine, or None."""
    lost = [label for place, label in enumerate(labels) if any(abs(one[place]) > 1e-3 for one in directions)]
    if not lost:
        return None
    names = lost[0] if len(lost) == 1 else f"{', '.join(lost[:-1])} and {lost[-1]}"
    if len(lost) == len(directions):
        return f"the data do not determine {names}; leave {'it' if len(lost) == 1 else 'them'} out of parameters"
    free = "a combination" if len(lost) - len(directions) == 1 else f"{len(lost) - len(directions)} combinations"
    many = "one" if len(directions) == 1 else str(len(directions))
    return f"the data determine only {free} of {names}; leave {many} of them out of parameters"


def unfinished(joined: Joined) -> str | None:
    """Return a sentence about a fit that did not converge, or None."""
    jumps = np.array([np.abs(one.jump / one.join) for one in joined.solution.equations if len(one.jump)]).reshape(
        -1, len(joined.fit.size)
    )
    jump = (jumps / joined.fit.noise).max(initial=0.0)
    if joined.solution.converged and (jump <= LARGEST_JUMP or (jumps <= ROUNDING * joined.fit.size).all()):
        return None
    return (
        f"the fit did not converge: another step would reduce the sum of squares of {joined.solution.cost:.3g} by "
        f"{joined.solution.gain:.2g}, and the largest jump within an orbit is {jump:.2g} standard deviations of the noise; "
        "start from other values of the parameters, or set bounds"
    )


def misfit(
    residuals: Sequence[Array], noise: Array, size: Array, names: Sequence[str], known: bool, freedom: int
) -> str | None:
    """Return a sentence about residuals that are not white noise, or not as large as the given noise, or None.

    Parameters
    ----------
    residuals : list of array, shape ``(T, D)``
        Residuals of each run, NaN where nothing was measured.
    noise, size : shape ``(D,)``
        Standard deviation of the noise, and magnitude of each coordinate.
    names : sequence of str
        Names of the coordinates.
    known : bool
        Whether the noise was given.
    freedom : int
        Degrees of freedom.
    """
    worst, told = 0.0, None
    for i, name in enumerate(names):
        rows = [row[np.isfinite(row)] for row in (residual[:, i] for residual in residuals)]
        square = sum(float(row @ row) for row in rows)
        pairs = sum(max(0, len(row) - 1) for row in rows)
        if pairs < 3 or square == 0 or noise[i] <= 2 * SMALLEST_NOISE * size[i]:
            continue  # the rest is rounding
        correlation = sum(float(row[1:] @ row[:-1]) for row in rows) / square
        if correlation > max(CORRELATED, SIGNIFICANT / np.sqrt(pairs)) and correlation > worst:
            worst = correlation
            told = (
                f"the residuals of {name} are not white noise: successive ones have the correlation {correlation:.2f}, where "
                f"0 +- {1 / np.sqrt(pairs):.2f} is expected, so the system lacks an effect that the data show, and the "
                "standard errors are too small"
            )
    if known and freedom > 0:
        square = sum(float(np.nansum((row / noise) ** 2)) for row in residuals)
        ratio = square / freedom
        if abs(ratio - 1) > SIGNIFICANT * np.sqrt(2 / freedom):
            return (
                f"the mean square of the residuals is {ratio:.3g} times that of the given noise, where 1 +- "
                f"{np.sqrt(2 / freedom):.2g} is expected; check the noise and the equations"
            )
    return told


def warn(sentences: Sequence[str | None]) -> None:
    """Issue one warning with all sentences, if there are any."""
    told = [sentence for sentence in sentences if sentence]
    if told:
        warnings.warn(". ".join(told), AccuracyWarning, stacklevel=outside())
