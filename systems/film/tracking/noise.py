"""The noise of measurements: its size in spite of outliers, and its correlation in time."""

from __future__ import annotations

import numpy as np
from scipy.signal import correlate

from systems.film.tracking.arrays import Floats

NORMAL = 1.4826  # standard deviation of normal noise, relative to its median absolute deviation


def noise_of(off: Floats) -> float:
    """Estimate the standard deviation of normal noise by the median, on which a few outliers have little influence.

    Parameters
    ----------
    off : shape ``(T,)``
        Absolute deviation of each value; NaN where unknown.

    Returns
    -------
    float
        Standard deviation; NaN where no value is known.
    """
    return NORMAL * float(np.nanmedian(off)) if np.isfinite(off).any() else float("nan")


def alikeness(residual: Floats) -> float:
    """Return the correlation time of residuals in samples: 1 for white noise.

    Parameters
    ----------
    residual : shape ``(T,)``
        Residuals in order of time.
    """
    power = float((residual**2).sum())
    if power == 0 or len(residual) < 4:
        return 1.0
    r = correlate(residual, residual, method="fft")[len(residual) - 1 :] / power
    r = r[1 : len(residual) // 4]
    below = np.flatnonzero(r < 0.05)
    return float(1 + 2 * r[: below[0] if len(below) else len(r)].sum())


def roughness(x: Floats) -> float:
    """Estimate the noise of a smooth signal from its third differences, whatever the signal is.

    Parameters
    ----------
    x : shape ``(T,)``
        The signal at times that are about equally spaced.
    """
    return noise_of(np.abs(np.diff(x, 3))) / np.sqrt(20)  # the squares of 1, 3, 3, 1
