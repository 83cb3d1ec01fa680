"""The pendulum clock."""

from systems.pendulum_clock.clock import PendulumClock

__all__ = ["PendulumClock"]
