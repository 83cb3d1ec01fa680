"""A metronome, by its pivot and the weight on its rod, or by the arc of the weight."""

from __future__ import annotations

from math import pi

import numpy as np

from systems.errors import InputError
from systems.film.points.positions import Positions
from systems.film.states.registry import register
from systems.film.states.rod import angle_of_rod
from systems.film.states.states import States, states_of
from systems.film.tracking.oscillation import oscillation
from systems.film.tracking.plausible import LONGEST

PERIODIC = 0.3  # part of the motion that may be other than a periodic swing
FEWEST = 16  # angles from which a period is estimated


@register("metronome", ("pivot", "weight"), ("weight",))
def metronome(positions: Positions) -> States:
    """Return the angle of the rod, which points upwards from its pivot, from plumb, positive to the right, and its rate.

    Without a marker on the pivot, it is the centre of the weight's arc, which must be curved enough. ``measures`` has the
    ``length`` from the pivot to the marker on the weight, and the ``period`` of a full swing, which is two beats [s].
    """
    theta, length = angle_of_rod(positions, upwards=True)
    seen = np.isfinite(theta.value)
    if seen.sum() < FEWEST:
        raise InputError(f"the rod of the metronome is seen in {seen.sum()} frames; at least {FEWEST} are needed")
    t, angle = positions.t[seen], theta.value[seen]
    swing = oscillation(t, angle)
    rest = angle - swing.swing(t)[0]
    if not (rest.std() < PERIODIC * angle.std() and swing.period < LONGEST * np.ptp(t)):
        raise InputError("the rod of the metronome does not swing evenly; choose another system, marker or range of time")
    measures = {"length": length, "period": (swing.period, swing.period_error)}
    columns = {"theta": (theta.value, theta.error), "omega": (theta.rate, theta.rate_error)}
    return states_of(positions, columns, 1, measures, {"theta": "rad", "omega": "rad/s"}, {"theta": 2 * pi})
