"""The old place of `systems.film.overlay`."""

from systems.deprecation import old_names

__getattr__ = old_names("systems.pendulum_clock.overlay", {"overlay": "systems.film.overlay.overlay"})
