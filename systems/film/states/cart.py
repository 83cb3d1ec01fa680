"""A cart on a straight track."""

from __future__ import annotations

from systems.film.points.positions import Positions
from systems.film.states.along import along_its_line
from systems.film.states.registry import register
from systems.film.states.states import States, motion_of, states_of


@register("cart", ("cart",))
def cart(positions: Positions) -> States:
    """Return the place along the track, to the right or upwards, and the velocity."""
    x = motion_of(positions.t, along_its_line(positions, 0, "cart"), positions.errors[0], positions.axes.scale)
    unit = positions.axes.unit
    columns = {"x": (x.value, x.error), "v": (x.rate, x.rate_error)}
    return states_of(positions, columns, 1, {}, {"x": unit, "v": f"{unit}/s"})
