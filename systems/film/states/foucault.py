"""A pendulum from above, whose plane of swing may turn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from systems.film.points.positions import Positions
from systems.film.states.in_the_plane import in_the_plane
from systems.film.states.registry import register
from systems.film.states.states import States
from systems.film.tracking.arrays import Floats, Points
from systems.film.tracking.oscillation import oscillation

FEWEST = 4  # swings from which the turning of their plane is estimated


@register("foucault", ("bob",))
def foucault(positions: Positions) -> States:
    """Return the place of the bob from the middle of its swing, and its velocity.

    If the film shows four swings or more, ``measures`` has the ``precession`` of their plane, positive counter-clockwise to
    the viewer [rad/s].
    """
    x, up = positions.x[0], positions.height[0]
    centre = tuple((float(np.nanmin(values)) + float(np.nanmax(values))) / 2 for values in (x, up))
    z = x - centre[0] + 1j * (up - centre[1])
    seen = np.isfinite(z)
    measures = {}
    if (turned := _turning(positions.t[seen], z[seen])) is not None:
        measures["precession"] = turned
    return in_the_plane(positions, (centre[0], centre[1]), measures)


def _turning(t: Floats, z: Points) -> tuple[float, float] | None:
    """Return how fast the long axis of the path turns, with a standard error; None for too few swings.

    Over one swing, the mean of the squared place ``(x + i y)^2`` points in twice the direction of the long axis.
    """
    if len(t) < 16:
        return None
    wider = z.real if np.ptp(z.real) > np.ptp(z.imag) else z.imag
    period = oscillation(t, wider - wider.mean()).period
    swings = int((t[-1] - t[0]) / period) if period > 0 else 0
    if swings < FEWEST:
        return None
    edges = t[0] + period * np.arange(swings + 1)
    parts = [(t >= a) & (t < b) for a, b in pairwise(edges)]
    directions = np.unwrap([np.angle(np.mean(z[part] ** 2)) for part in parts if part.sum() > 4]) / 2
    times = np.array([t[part].mean() for part in parts if part.sum() > 4])
    if len(times) < FEWEST:
        return None
    fit, covariance = np.polyfit(times, directions, 1, cov=True)
    return float(fit[0]), float(np.sqrt(covariance[0, 0]))
