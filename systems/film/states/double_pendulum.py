"""A double pendulum, by its pivot and both bobs."""

from __future__ import annotations

from math import pi

import numpy as np

from systems.errors import InputError
from systems.film.points.positions import Positions
from systems.film.states.registry import register
from systems.film.states.states import States, length_of, motion_of, states_of
from systems.film.tracking.geometry import without_jumps

ALIKE = 0.02  # relative difference of the rods' lengths, up to which they count as equal


@register("double-pendulum", ("pivot", "first bob", "second bob"))
def double_pendulum(positions: Positions, *, momenta: bool = True) -> States:
    r"""Return both angles from plumb, positive to the right, and the momenta or the angular velocities.

    .. math:: p_1 = 2 \omega_1 + \omega_2 \cos(\theta_1 - \theta_2), \quad p_2 = \omega_2 + \omega_1 \cos(\theta_1 - \theta_2)

    These are the momenta of the registered system, in units of a rod's length and of a bob's mass. Its parameter ``gravity``
    is then g / l [1/s^2]. It has equal rods, so that others are refused unless ``momenta`` is False. ``measures`` has the
    lengths of both rods, ``length_1`` and ``length_2``.
    """
    x, up, errors = positions.x, positions.height, positions.errors
    lengths = [length_of(positions, k, k + 1)[1] for k in range(2)]
    apart, least = abs(lengths[0][0] - lengths[1][0]), ALIKE * max(lengths[0][0], lengths[1][0])
    if momenta and apart > least + 3 * max(lengths[0][1], lengths[1][1]):
        raise InputError(
            f"the rods have lengths of {lengths[0][0]:.4g} and {lengths[1][0]:.4g} {positions.axes.unit}, but the momenta of "
            "double-pendulum are those of equal rods; pass momenta=False for the angular velocities"
        )
    first, second = (
        motion_of(
            positions.t,
            without_jumps(np.arctan2(x[k + 1] - x[k], up[k] - up[k + 1])),
            np.hypot(errors[k], errors[k + 1]) / lengths[k][0],
            np.sqrt(2) * positions.axes.scale / lengths[k][0],
        )
        for k in range(2)
    )
    columns = {"theta_1": (first.value, first.error), "theta_2": (second.value, second.error)}
    if momenta:
        cos, sin = np.cos(first.value - second.value), np.sin(first.value - second.value)
        between = np.hypot(first.error, second.error)
        for name, own, other, weight in (("p_1", first, second, 2.0), ("p_2", second, first, 1.0)):
            error = np.hypot(weight * own.rate_error, cos * other.rate_error)
            columns[name] = weight * own.rate + cos * other.rate, np.hypot(error, other.rate * sin * between)
    else:
        columns |= {"omega_1": (first.rate, first.rate_error), "omega_2": (second.rate, second.rate_error)}
    units = {name: "rad" if name.startswith("theta") else "rad/s" for name in columns}
    measures = {"length_1": lengths[0], "length_2": lengths[1]}
    return states_of(positions, columns, 2, measures, units, {"theta_1": 2 * pi, "theta_2": 2 * pi})
