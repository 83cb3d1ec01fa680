"""A mass on a spring that also swings, by its pivot and the mass."""

from __future__ import annotations

import numpy as np

from systems.errors import InputError
from systems.film.points.positions import Positions
from systems.film.states.registry import register
from systems.film.states.states import States, motion_of, states_of
from systems.scalars import real


@register("elastic-pendulum", ("pivot", "bob"))
def elastic_pendulum(positions: Positions, *, length: float | None = None) -> States:
    """Return the place of the bob from the pivot and its velocity, in units of the length at rest.

    ``length`` is the distance of both markers while the pendulum hangs at rest, in the unit of the places. The parameters of
    the system are then ``stiffness`` k / m and ``gravity`` g / length [1/s^2].
    """
    if length is None or real("length", length) <= 0:
        raise InputError(
            f"an elastic pendulum needs its length at rest, in {positions.axes.unit}, from the pivot to the marker on the "
            f"bob: pass a positive length, not {length}"
        )
    error = np.hypot(positions.errors[0], positions.errors[1]) / length
    pixel = np.sqrt(2) * positions.axes.scale / length
    x = motion_of(positions.t, (positions.x[1] - positions.x[0]) / length, error, pixel)
    y = motion_of(positions.t, (positions.height[1] - positions.height[0]) / length, error, pixel)
    columns = {
        "x": (x.value, x.error),
        "y": (y.value, y.error),
        "p_x": (x.rate, x.rate_error),
        "p_y": (y.rate, y.rate_error),
    }
    return states_of(positions, columns, 2, {"length": (length, positions.axes.scale_error * length)}, {})
