"""Smoothed paths through measured runs, in all coordinates of the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from systems.fitting.data import Run
from systems.fitting.motion import Motion
from systems.recording.smoothing import Smooth, smooth

SWEEPS = 8  # of Newton's method
REGULAR = 1e-3  # share of the typical size of the equations that is added to them, where they are nearly singular

AREA = 2.25  # a polynomial of degree four in a window of w samples follows this part of the noise, divided by w
UNKNOWN = 0.1  # noise of values that do not tell it, relative to their spread
ROUNDING, UNMEASURED = 1e-12, 1e6  # smallest and largest error of a rate, relative to the largest rate

Array = np.ndarray


@dataclass(frozen=True)
class Path:
    """A smooth curve through one run.

    Parameters
    ----------
    z, rate, rate_error : shape ``(T, D)``
        States, time derivatives and their standard errors, at the times of the run.
    noise : shape ``(D,)``
        Standard deviation of the noise; NaN for a coordinate that was not measured.
    width : int
        Largest number of samples over which a value is smoothed.
    known : shape ``(D,)``
        Whether the coordinate was measured, or follows from the rates of those that were.
    """

    z: Array
    rate: Array
    rate_error: Array
    noise: Array
    width: int
    known: Array


def path(run: Run) -> Path:
    """Smooth the measured coordinates of a run; the others are zero."""
    z, shape = run.unwrapped(), run.z.shape
    value, rate, error, noise, width = np.zeros(shape), np.zeros(shape), np.ones(shape), np.full(shape[1], np.nan), 1
    seen = np.isfinite(z)
    for i in np.flatnonzero(seen.any(0)):
        (one,) = smooth([(run.t, z[:, i])])
        value[:, i], rate[:, i], error[:, i] = one.values[0], one.values[1], _rate_error(one)
        lost = one.errors[0] > np.nanstd(z[:, i])  # in a long hole, where a spline may be anywhere
        value[lost, i] = np.interp(lost.nonzero()[0], seen[:, i].nonzero()[0], z[seen[:, i], i])
        noise[i] = one.noise if np.isfinite(one.noise) else UNKNOWN * (float(np.nanstd(z[:, i])) or 1.0)
        width = max(width, round(AREA / one.followed) if one.followed else 1)
    return Path(value, rate, error, noise, width, seen.any(0))


def filled(motion: Motion, values: Array, run: Run, start: Path) -> Path:
    """Return the path with the coordinates that were not measured, as far as the rates of the others determine them.

    The rates of known coordinates are equations for unknown ones, which Newton's method solves at each time. A coordinate that
    is found in this way has a smooth rate, which is the next equation.
    """
    z, rate, error, known = start.z.copy(), start.rate.copy(), start.rate_error.copy(), start.known.copy()
    while not known.all():
        given, wanted = np.flatnonzero(known), np.flatnonzero(~known)
        for sweep in range(SWEEPS):
            f, slopes, _ = motion.rates(values, run.t, z)
            matrix = slopes[:, given][:, :, wanted]
            if sweep == 0:
                found = np.abs(matrix).max(axis=(0, 1)) > 0
            square = matrix.transpose(0, 2, 1) @ matrix
            typical = np.median(np.trace(square, axis1=1, axis2=2))
            square += (REGULAR * typical + 1e-300) * np.eye(len(wanted))
            change = np.linalg.solve(square, np.einsum("ngw,ng->nw", matrix, rate[:, given] - f[:, given])[..., None])[..., 0]
            z[:, wanted] += np.nan_to_num(change)
        if not found.any():
            break
        for i in wanted[found]:
            (one,) = smooth([(run.t, z[:, i])])
            z[:, i], rate[:, i], error[:, i] = one.values[0], one.values[1], _rate_error(one)
            known[i] = True
    return Path(z, rate, error, start.noise, start.width, known)


def _rate_error(one: Smooth) -> Array:
    """Return the standard errors of rates, which are weights of equations and therefore neither zero nor infinite."""
    largest = float(np.abs(one.values[1]).max()) or 1.0
    return np.clip(one.errors[1], ROUNDING * largest, UNMEASURED * largest)


def sizes(paths: Sequence[Path]) -> Array:
    """Return the magnitude of each coordinate: its standard deviation along the paths, or its mean size if it is constant."""
    z = np.concatenate([path.z for path in paths])
    spread, mean = z.std(0), np.abs(z).mean(0)
    size = np.where(spread > 1e-9 * mean, spread, mean)
    usual = np.median(size[size > 0]) if (size > 0).any() else 1.0
    return np.where(size > 0, size, usual)
