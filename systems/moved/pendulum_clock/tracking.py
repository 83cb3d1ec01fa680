"""The old place of `systems.film`."""

from systems.deprecation import moved_names

__getattr__ = moved_names(
    "systems.pendulum_clock.tracking", dict.fromkeys(("Report", "Tracking", "from_markers", "track"), "systems.film")
)
