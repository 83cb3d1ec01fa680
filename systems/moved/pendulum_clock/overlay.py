"""The old place of `systems.film.overlay`."""

from systems.moved import forward

__getattr__ = forward("systems.pendulum_clock.overlay", dict.fromkeys(("overlay",), "systems.film.overlay"))
