"""The old place of `systems.film`."""

from systems.deprecation import old_names

__getattr__ = old_names(
    "systems.pendulum_clock.tracking",
    {name: f"systems.film.{name}" for name in ("Report", "Tracking", "from_markers", "track")},
)
