"""The pendulum clock: its equations, films of it, and the tracking of films."""

from systems.pendulum_clock.clock import PendulumClock
from systems.pendulum_clock.defects import Defects
from systems.pendulum_clock.film import Film, Truth, render, render_clock, still
from systems.pendulum_clock.tracking import Report, Tracking, from_markers, track

__all__ = [
    "Defects",
    "Film",
    "PendulumClock",
    "Report",
    "Tracking",
    "Truth",
    "from_markers",
    "render",
    "render_clock",
    "still",
    "track",
]
