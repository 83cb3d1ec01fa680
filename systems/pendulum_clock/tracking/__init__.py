"""Tracking the pendulums of a film."""

from systems.pendulum_clock.tracking.result import Report, Tracking
from systems.pendulum_clock.tracking.track import from_markers, track

__all__ = ["Report", "Tracking", "from_markers", "track"]
