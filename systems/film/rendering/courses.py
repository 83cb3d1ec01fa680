"""The course of measured or simulated values between their times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from torch import Tensor

from systems.errors import InputError

Course = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def course(t: NDArray[np.float64], values: NDArray[np.float64], rate: NDArray[np.float64] | None) -> Course:
    """Return values ``(..., T)`` as a function of time, by cubics, with the given rates if there are any.

    Raises InputError if times do not increase, or anything is not finite.
    """
    if not (np.isfinite(t).all() and np.isfinite(values).all() and (rate is None or np.isfinite(rate).all())):
        raise InputError("times and angles of a film must be finite, and some are not")
    if not (np.diff(t) > 0).all():
        later = int(np.flatnonzero(np.diff(t) <= 0)[0]) + 1
        raise InputError(f"times of a film must increase, but t[{later}] = {t[later]:g} follows {t[later - 1]:g}")
    if rate is not None:
        return CubicHermiteSpline(t, values, rate, axis=-1)
    return CubicSpline(t, values, axis=-1)


def numbers(values: ArrayLike | Tensor) -> NDArray[np.float64]:
    """Return values as an array of float64."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)
