"""A pendulum, by its pivot and its bob, or by the arc of its bob."""

from __future__ import annotations

from math import pi

import numpy as np

from systems.film.points.positions import Positions
from systems.film.states.registry import register
from systems.film.states.states import States, length_of, median_of, motion_of, states_of
from systems.film.tracking.geometry import fit_arc, without_jumps


@register("pendulum", ("pivot", "bob"), ("bob",))
def pendulum(positions: Positions) -> States:
    """Return the angle from plumb, positive to the right, and the momentum of unit inertia, which is the angular velocity.

    The parameter ``gravity`` of the system is then g / l [1/s^2]. Without a marker on the pivot, it is the centre of the bob's
    arc, which must be curved enough. ``measures`` has the ``length`` from the pivot to the marker on the bob.
    """
    x, up, errors = positions.x, positions.height, positions.errors
    if len(positions) == 2:
        _, (length, length_error) = length_of(positions, 0, 1)
        across, down, error = x[1] - x[0], up[0] - up[1], np.hypot(errors[0], errors[1])
    else:
        arc = fit_arc(x[0] + 1j * up[0])
        across, down, error = x[0] - arc.centre.real, arc.centre.imag - up[0], errors[0]
        _, (length, length_error) = median_of(positions, np.hypot(across, down))
        length_error = float(np.hypot(length_error, arc.radius_error))
    theta = motion_of(positions.t, without_jumps(np.arctan2(across, down)), error / length)
    columns = {"theta": (theta.value, theta.error), "p": (theta.rate, theta.rate_error)}
    measures = {"length": (length, length_error)}
    return states_of(positions, columns, 1, measures, {"theta": "rad", "p": "rad/s"}, {"theta": 2 * pi})
