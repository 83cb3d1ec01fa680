"""Dissipative flows in three or more dimensions."""

from systems.flows.lorenz import Lorenz

__all__ = ["Lorenz"]
