"""The old place of `systems.film.overlay`."""

from systems.deprecation import moved_names

__getattr__ = moved_names("systems.pendulum_clock.overlay", dict.fromkeys(("overlay",), "systems.film.overlay"))
