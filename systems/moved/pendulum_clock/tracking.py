"""The old place of `systems.film`."""

from systems.moved import forward

__getattr__ = forward(
    "systems.pendulum_clock.tracking", dict.fromkeys(("Report", "Tracking", "from_markers", "track"), "systems.film")
)
