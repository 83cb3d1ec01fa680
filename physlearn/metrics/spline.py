"""Orbits between their samples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline, PPoly
from torch import Tensor

from physlearn.metrics.angle import continuous
from systems import Orbit

FEWEST = 4  # samples of a cubic


def samples(
    orbit: Orbit, coordinate: int | str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Return increasing times, and the values ``(n, T)`` of a coordinate of each orbit and its rates, where they are known.

    Times count from the first one. Angles have no jumps. Raises InputError, listing the names, for a coordinate that is none.
    """
    index = orbit.index(coordinate)
    order = -1 if orbit.t[-1] < orbit.t[0] else 1
    t = _array(orbit.t)[::order]
    x = orbit.z[..., index].double()
    if orbit.coordinates[index] in orbit.periods:
        x = continuous(x, orbit.periods[orbit.coordinates[index]])
    values = _array(x).reshape(-1, len(t))[:, ::order]
    rates = None if orbit.rate is None else _array(orbit.rate[..., index]).reshape(-1, len(t))[:, ::order]
    return t - t[0], values, rates


def spline(t: NDArray[np.float64], x: NDArray[np.float64], rate: NDArray[np.float64] | None) -> PPoly | None:
    """Return a cubic spline of one orbit's coordinate, through its rates where they are known.

    The error is of fourth order in the step. None for values that are not finite, or fewer than four times.
    """
    if len(t) < FEWEST or not np.isfinite([x, x if rate is None else rate]).all():
        return None
    return CubicSpline(t, x) if rate is None else CubicHermiteSpline(t, x, rate)


def _array(values: Float[Tensor, "..."]) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
