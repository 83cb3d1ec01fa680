"""The old place of `systems.film`."""

from systems.deprecation import old_names

__getattr__ = old_names("systems.pendulum_clock.defects", {"Defects": "systems.film.Defects"})
