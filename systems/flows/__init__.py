"""Flows that forget where they began: dissipative systems of three dimensions and more."""

from systems.flows.lorenz import Lorenz

__all__ = ["Lorenz"]
