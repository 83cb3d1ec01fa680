"""A body that falls or was thrown."""

from __future__ import annotations

import numpy as np

from systems.film.points.positions import Positions
from systems.film.points.settle import SYSTEMATIC
from systems.film.states.in_the_plane import in_the_plane
from systems.film.states.registry import register
from systems.film.states.states import States

FEWEST = 5  # places from which the acceleration is estimated


@register("free-fall", ("body",))
def free_fall(positions: Positions) -> States:
    """Return the place, with y upwards, and the velocity.

    ``measures`` has the acceleration ``gravity`` downwards, from a parabola through the heights; it holds for a film in which
    the body falls freely all the time, which ``time`` of `systems.film.track_points` can select.
    """
    height, seen = positions.height[0], np.isfinite(positions.height[0])
    measures = {}
    if seen.sum() >= FEWEST:
        t = positions.t[seen] - positions.t[seen].mean()
        fit, covariance = np.polyfit(t, height[seen], 2, cov=True)
        common = SYSTEMATIC * positions.axes.scale / max(float(np.ptp(t)) ** 2 / 8, 1e-300)
        error = np.sqrt(4 * covariance[0, 0] + common**2 + (2 * fit[0] * positions.axes.scale_error) ** 2)
        measures["gravity"] = (-2 * float(fit[0]), float(error))
    return in_the_plane(positions, (0.0, 0.0), measures)
