"""Dynamical systems, their orbits, and recordings of real ones."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from systems.extras import DISTRIBUTION as DISTRIBUTION  # physlearn recognises this package by it

if TYPE_CHECKING:
    from systems import film, flows, hamiltonian, oscillators, pendulum_clock, testing
    from systems.errors import AccuracyWarning, InputError, IntegrationError, UnknownNameError
    from systems.extras import MissingExtraError
    from systems.hamiltonian_system import HamiltonianSystem, SeparableSystem
    from systems.orbit import Orbit
    from systems.registry import find, get, names, register
    from systems.suspension import Suspension
    from systems.system import System

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

_HOMES = {
    **dict.fromkeys(("AccuracyWarning", "InputError", "IntegrationError", "UnknownNameError"), "errors"),
    **dict.fromkeys(("find", "get", "names", "register"), "registry"),
    **dict.fromkeys(("HamiltonianSystem", "SeparableSystem"), "hamiltonian_system"),
    "System": "system",
    "MissingExtraError": "extras",
    "Orbit": "orbit",
    "Suspension": "suspension",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, because importing all of them takes seconds."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _HOMES:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
