"""Orbits between their samples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline, PPoly
from torch import Tensor

from systems import Orbit


def splines(orbit: Orbit, coordinate: int | str) -> list[PPoly | None]:
    """A cubic spline of the coordinate over increasing times for each orbit, through its rates too where they are known.

    The error is of fourth order in the step. None for an orbit that is not finite, or has fewer than four times.
    Raises InputError, listing the names, for a coordinate that is none.
    """
    index = orbit.index(coordinate)
    order = -1 if orbit.t[-1] < orbit.t[0] else 1
    t = _array(orbit.t)[::order]
    states = _array(orbit.z[..., index]).reshape(-1, len(t))[:, ::order]
    rates = states if orbit.rate is None else _array(orbit.rate[..., index]).reshape(-1, len(t))[:, ::order]
    curves: list[PPoly | None] = []
    for x, rate in zip(states, rates, strict=True):
        if len(t) < 4 or not np.isfinite([x, rate]).all():
            curves.append(None)
        else:
            curves.append(CubicSpline(t, x) if orbit.rate is None else CubicHermiteSpline(t, x, rate))
    return curves


def _array(values: Float[Tensor, "..."]) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
