"""Dynamical systems, their orbits, and recordings of real ones."""

from typing import TYPE_CHECKING

from systems.extras import DISTRIBUTION as DISTRIBUTION  # physlearn recognises this package by it
from systems.lazy import lazily

if TYPE_CHECKING:
    from systems import film, flows, hamiltonian, maps, oscillators, pendulum_clock, testing
    from systems.errors import AccuracyWarning, InputError, IntegrationError, UnknownNameError
    from systems.extras import MissingExtraError
    from systems.fitting.fit import fit
    from systems.fitting.result import Fit
    from systems.hamiltonian_system import HamiltonianSystem, SeparableSystem
    from systems.orbit import Orbit
    from systems.registry import find, get, names, register
    from systems.suspension import Suspension
    from systems.system import System

__all__ = [
    "AccuracyWarning",
    "Fit",
    "HamiltonianSystem",
    "InputError",
    "IntegrationError",
    "MissingExtraError",
    "Orbit",
    "SeparableSystem",
    "Suspension",
    "System",
    "UnknownNameError",
    "film",
    "find",
    "fit",
    "flows",
    "get",
    "hamiltonian",
    "maps",
    "names",
    "oscillators",
    "pendulum_clock",
    "register",
    "testing",
]

_HOMES = {
    **dict.fromkeys(("AccuracyWarning", "InputError", "IntegrationError", "UnknownNameError"), "errors"),
    **dict.fromkeys(("find", "get", "names", "register"), "registry"),
    **dict.fromkeys(("HamiltonianSystem", "SeparableSystem"), "hamiltonian_system"),
    "Fit": "fitting.result",
    "System": "system",
    "MissingExtraError": "extras",
    "fit": "fitting.fit",
    "Orbit": "orbit",
    "Suspension": "suspension",
}

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
