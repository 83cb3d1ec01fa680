"""The old place of `systems.pendulum_clock`."""

from systems.moved import forward

__getattr__ = forward("systems.pendulum_clock.clock", dict.fromkeys(("PendulumClock",), "systems.pendulum_clock"))
