"""A pendulum, by its pivot and its bob, or by the arc of its bob."""

from __future__ import annotations

from math import pi

from systems.film.points.positions import Positions
from systems.film.states.registry import register
from systems.film.states.rod import angle_of_rod
from systems.film.states.states import States, states_of


@register("pendulum", ("pivot", "bob"), ("bob",))
def pendulum(positions: Positions) -> States:
    """Return the angle from plumb, positive to the right, and the momentum of unit inertia, which is the angular velocity.

    The parameter ``gravity`` of the system is then g / l [1/s^2]. Without a marker on the pivot, it is the centre of the bob's
    arc, which must be curved enough. ``measures`` has the ``length`` from the pivot to the marker on the bob.
    """
    theta, length = angle_of_rod(positions, upwards=False)
    columns = {"theta": (theta.value, theta.error), "p": (theta.rate, theta.rate_error)}
    return states_of(positions, columns, 1, {"length": length}, {"theta": "rad", "p": "rad/s"}, {"theta": 2 * pi})
