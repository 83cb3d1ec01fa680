"""The old place of `systems.pendulum_clock`."""

from systems.deprecation import moved_names

__getattr__ = moved_names("systems.pendulum_clock.clock", dict.fromkeys(("PendulumClock",), "systems.pendulum_clock"))
