"""The old place of `systems.pendulum_clock`."""

from systems.deprecation import old_names

__getattr__ = old_names("systems.pendulum_clock.clock", {"PendulumClock": "systems.pendulum_clock.PendulumClock"})
