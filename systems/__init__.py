"""What is in the world: dynamical systems, their orbits, and recordings of real ones."""

from systems import film, flows, hamiltonian, oscillators, pendulum_clock, testing
from systems.errors import AccuracyWarning, InputError, IntegrationError, UnknownNameError
from systems.orbit import Orbit
from systems.registry import find, get, names, register
from systems.suspension import Suspension
from systems.system import HamiltonianSystem, SeparableSystem, System

__all__ = [
    "AccuracyWarning",
    "HamiltonianSystem",
    "InputError",
    "IntegrationError",
    "Orbit",
    "SeparableSystem",
    "Suspension",
    "System",
    "UnknownNameError",
    "film",
    "find",
    "flows",
    "get",
    "hamiltonian",
    "names",
    "oscillators",
    "pendulum_clock",
    "register",
    "testing",
]
