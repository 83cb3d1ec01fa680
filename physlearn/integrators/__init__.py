"""Integrators: one file a method, batched over orbits, forward and backward in time, on any device."""

from physlearn.flow import Flow, NotHamiltonianError, NotSeparableError
from physlearn.integrators.errors import ConvergenceError
from physlearn.integrators.integrate import find, integrate, names
from physlearn.integrators.integrator import Integrator

__all__ = [
    "ConvergenceError",
    "Flow",
    "Integrator",
    "NotHamiltonianError",
    "NotSeparableError",
    "find",
    "integrate",
    "names",
]
