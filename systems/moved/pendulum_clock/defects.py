"""The old place of `systems.film`."""

from systems.moved import forward

__getattr__ = forward("systems.pendulum_clock.defects", dict.fromkeys(("Defects",), "systems.film"))
