"""The old place of `systems.film`."""

from systems.deprecation import moved_names

__getattr__ = moved_names("systems.pendulum_clock.defects", dict.fromkeys(("Defects",), "systems.film"))
