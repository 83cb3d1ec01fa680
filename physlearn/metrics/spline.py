"""Spline interpolation of orbits between their samples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline, PPoly
from torch import Tensor

from physlearn.metrics.angle import continuous
from systems import Orbit

FEWEST = 4  # samples that determine a cubic


def samples(
    orbit: Orbit, coordinate: int | str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Return increasing times, and the values ``(T,)`` of a coordinate of one orbit, with its rates if all are known.

    Times start at zero. Angles are unwrapped. An unknown coordinate raises InputError with a list of the names.
    """
    index = orbit.index(coordinate)
    times = orbit.common_times
    order = -1 if times[-1] < times[0] else 1
    t = _array(times)[::order]
    x = orbit.z[..., index].double()
    if orbit.coordinates[index] in orbit.periods:
        x = continuous(x, orbit.periods[orbit.coordinates[index]])
    known = orbit.rate is not None and not orbit.rate[..., index].isnan().any()
    rate = _array(orbit.rate[..., index])[::order] if orbit.rate is not None and known else None
    return t - t[0], _array(x)[::order], rate


def spline(t: NDArray[np.float64], x: NDArray[np.float64], rate: NDArray[np.float64] | None) -> PPoly | None:
    """Return a cubic spline through one orbit's coordinate, and through its rates if they are known.

    The error is of fourth order in the step. The result is None if values are not finite or there are fewer than four times.
    """
    if len(t) < FEWEST or not np.isfinite([x, x if rate is None else rate]).all():
        return None
    return CubicSpline(t, x) if rate is None else CubicHermiteSpline(t, x, rate)


def _array(values: Float[Tensor, "..."]) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
