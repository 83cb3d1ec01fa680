"""Integrators, one file per method: batched over orbits, forward and backward in time, on any device."""

from physlearn.flow import Flow, NotHamiltonianError, NotSeparableError
from physlearn.integrators.errors import ConvergenceError
from physlearn.integrators.integrate import integrate
from physlearn.integrators.integrator import Integrator
from physlearn.integrators.registry import find, names, register

__all__ = [
    "ConvergenceError",
    "Flow",
    "Integrator",
    "NotHamiltonianError",
    "NotSeparableError",
    "find",
    "integrate",
    "names",
    "register",
]
