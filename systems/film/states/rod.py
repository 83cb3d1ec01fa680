"""The angle of a rod, by its pivot and the weight on it, or by the arc of the weight."""

from __future__ import annotations

import numpy as np

from systems.film.points.positions import Positions
from systems.film.states.states import Motion, length_of, median_of, motion_of
from systems.film.tracking.geometry import fit_arc, without_jumps


def angle_of_rod(positions: Positions, upwards: bool) -> tuple[Motion, tuple[float, float]]:
    """Return the angle of a rod from plumb, positive to the right, and its length with a standard error.

    Parameters
    ----------
    positions
        Places of the pivot and of the weight, or of the weight alone: then the pivot is the centre of its arc, which must be
        curved enough.
    upwards
        Whether the rod stands on its pivot rather than hanging from it.
    """
    x, up, errors = positions.x, positions.height, positions.errors
    if len(positions) == 2:
        _, (length, length_error) = length_of(positions, 0, 1)
        across, along, error = x[1] - x[0], up[1] - up[0], np.hypot(errors[0], errors[1])
    else:
        arc = fit_arc(x[0] + 1j * up[0])
        across, along, error = x[0] - arc.centre.real, up[0] - arc.centre.imag, errors[0]
        _, (length, length_error) = median_of(positions, np.hypot(across, along))
        length_error = float(np.hypot(length_error, arc.radius_error))
    angle = without_jumps(np.arctan2(across, along if upwards else -along))
    return motion_of(positions.t, angle, error / length, np.sqrt(len(positions)) * positions.axes.scale / length), (
        length,
        length_error,
    )
