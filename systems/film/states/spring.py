"""A mass on a spring, by the mass, or by the upper end of the spring and the mass."""

from __future__ import annotations

import numpy as np

from systems.errors import InputError
from systems.film.points.positions import Positions
from systems.film.states.along import along_its_line
from systems.film.states.registry import register
from systems.film.states.states import States, motion_of, states_of
from systems.scalars import real


@register("spring", ("mass",), ("upper end", "mass"))
def spring(positions: Positions, *, mass: float = 1.0) -> States:
    """Return the displacement from the mean place, positive upwards or to the right, and the momentum for a given mass.

    The coordinates are those of the system ``harmonic-oscillator``. With two markers, the upper end's motion is subtracted.
    """
    if real("mass", mass) <= 0:
        raise InputError(f"mass must be positive, not {mass}")
    if len(positions) == 2:
        positions = positions.relative_to(0)
    place = along_its_line(positions, 0, "spring")
    # half way between the mean extremes: the plain mean depends on where in a swing the film begins and ends
    middle = float(np.nanquantile(place, 0.02) + np.nanquantile(place, 0.98)) / 2
    q = motion_of(positions.t, place - middle, positions.errors[0], positions.axes.scale)
    columns = {"q": (q.value, q.error), "p": (mass * q.rate, mass * q.rate_error)}
    return states_of(positions, columns, 1, {}, {"q": positions.axes.unit})
