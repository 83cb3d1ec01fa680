"""The noise of measurements of which some are wrong."""

from __future__ import annotations

import numpy as np

from systems.pendulum_clock.tracking.markers import Floats


def noise_of(off: Floats) -> float:
    """The standard deviation of normal noise, from how far off each value is, ``(T,)``; NaN where none is known.

    By the median, which a few that are far off hardly move.
    """
    return 1.4826 * float(np.nanmedian(off)) if np.isfinite(off).any() else float("nan")
