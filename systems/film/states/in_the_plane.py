"""Motion in the plane of the picture."""

from __future__ import annotations

from collections.abc import Mapping

from systems.film.points.positions import Positions
from systems.film.states.states import States, motion_of, states_of


def in_the_plane(
    positions: Positions, centre: tuple[float, float], measures: Mapping[str, tuple[float, float]], marker: int = 0
) -> States:
    """Return the states (x, y, v_x, v_y) of a marker from a centre, with y upwards."""
    x, y = (
        motion_of(positions.t, values[marker] - middle, positions.errors[marker], positions.axes.scale)
        for values, middle in zip((positions.x, positions.height), centre, strict=True)
    )
    columns = {
        "x": (x.value, x.error),
        "y": (y.value, y.error),
        "v_x": (x.rate, x.rate_error),
        "v_y": (y.rate, y.rate_error),
    }
    unit = positions.axes.unit
    return states_of(positions, columns, 2, measures, {"x": unit, "y": unit, "v_x": f"{unit}/s", "v_y": f"{unit}/s"})
