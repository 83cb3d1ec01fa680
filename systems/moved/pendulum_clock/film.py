"""The old place of `systems.film`."""

from systems.deprecation import old_names

__getattr__ = old_names(
    "systems.pendulum_clock.film",
    {name: f"systems.film.{name}" for name in ("Film", "Truth", "render", "render_clock", "still")},
)
