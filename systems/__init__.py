"""What is in the world: dynamical systems, their orbits, and recordings of real ones."""

from systems import flows, hamiltonian, oscillators, pendulum_clock, testing
from systems.errors import AccuracyWarning, InputError, IntegrationError, UnknownNameError
from systems.extras import DISTRIBUTION as DISTRIBUTION  # by which physlearn knows this package
from systems.extras import MissingExtraError
from systems.orbit import Orbit
from systems.registry import find, get, names, register
from systems.suspension import Suspension
from systems.system import HamiltonianSystem, SeparableSystem, System

__all__ = [
    "AccuracyWarning",
    "HamiltonianSystem",
    "InputError",
    "IntegrationError",
    "MissingExtraError",
    "Orbit",
    "SeparableSystem",
    "Suspension",
    "System",
    "UnknownNameError",
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
