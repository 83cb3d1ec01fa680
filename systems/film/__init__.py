"""Films: render them from known orbits, track pendulums to angles and rates, and any marker to places, with their errors.

Names are imported when they are first used, because rendering and tracking need PyAV and OpenCV, which are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from systems.lazy import lazily

if TYPE_CHECKING:
    from systems.film.points.axes import Axes
    from systems.film.points.positions import Positions
    from systems.film.points.track_points import track_points
    from systems.film.rendering.clock_film import Film
    from systems.film.rendering.clock_rendering import render, render_clock, still
    from systems.film.rendering.defects import Defects
    from systems.film.rendering.system_rendering import MarkersTruth, held, render_system
    from systems.film.rendering.truth import Truth
    from systems.film.tracking.from_markers import from_markers
    from systems.film.tracking.report import Report
    from systems.film.tracking.result import Tracking
    from systems.film.tracking.tracker import track

__all__ = [
    "Axes",
    "Defects",
    "Film",
    "MarkersTruth",
    "Positions",
    "Report",
    "Tracking",
    "Truth",
    "from_markers",
    "held",
    "render",
    "render_clock",
    "render_system",
    "still",
    "track",
    "track_points",
]

_PLACES = {
    "Axes": "points.axes",
    "Defects": "rendering.defects",
    "Film": "rendering.clock_film",
    "MarkersTruth": "rendering.system_rendering",
    "Positions": "points.positions",
    "Report": "tracking.report",
    "Tracking": "tracking.result",
    "Truth": "rendering.truth",
    "from_markers": "tracking.from_markers",
    "held": "rendering.system_rendering",
    "render": "rendering.clock_rendering",
    "render_clock": "rendering.clock_rendering",
    "render_system": "rendering.system_rendering",
    "still": "rendering.clock_rendering",
    "track": "tracking.tracker",
    "track_points": "points.track_points",
}

__getattr__, __dir__ = lazily(
    __name__, _PLACES, [*__all__, "accuracy", "coverage", "overlay", "points", "rendering", "states", "tracking"]
)
