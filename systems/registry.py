"""Registry of systems: the built-in ones, those of the user, and those of other distributions."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar, cast

from systems.class_registry import ClassRegistry
from systems.errors import UnknownNameError
from systems.system import System

DYSTS = "dysts:"
"""Start of the names of the flows of the package dysts."""


class Systems(ClassRegistry[System]):
    """The systems, and those of dysts, which are made when they are asked for, and not listed."""

    def check(self, name: str) -> None:
        """Check that a name is known. Raises UnknownNameError if it is not."""
        if not str(name).startswith(DYSTS):
            super().check(name)
        else:
            of_dysts().find(name)

    def get(self, name: str) -> type[System]:
        """Return the class with the given name. Raises UnknownNameError if there is none."""
        if str(name).endswith(".py"):
            raise UnknownNameError(
                f"{name} is a file, not the name of a system: install the distribution that registers the system (see "
                "docs/adding-a-system.md), and give its name"
            )
        if not str(name).startswith(DYSTS):
            return super().get(name)
        found: type[System] = of_dysts().find(name)
        return found


def of_dysts() -> ModuleType:
    """Return the module of the flows of dysts, which defines systems."""
    return import_module("systems.of_dysts")


SYSTEMS = Systems(
    "system",
    "physlearn.systems",
    modules=("systems.flows", "systems.hamiltonian", "systems.oscillators", "systems.pendulum_clock"),
)
S = TypeVar("S", bound=type[System])


def register(name: str) -> Callable[[S], S]:
    """Return a class decorator that makes a system available as ``systems.get(name)``.

    Another distribution can register a system without being imported: its metadata name the class in the entry-point group
    ``physlearn.systems``, as in ``my-system = "my_package.my_system:MySystem"``.

    Parameters
    ----------
    name : str
        Name of the system, which becomes the ``name`` of the class.

    Returns
    -------
    callable
        Decorator that registers a subclass of `System` and returns it. It raises InputError if the name is taken.
    """
    return cast(Callable[[S], S], SYSTEMS.register(name))


def names() -> list[str]:
    """Return the names of all systems.

    Returns
    -------
    list of str
        Names in alphabetical order, including those of other distributions.
    """
    return SYSTEMS.names()


def find(name: str) -> type[System]:
    """Return the class of a system.

    Parameters
    ----------
    name : str
        Name of the system, or that of a flow of the package dysts, such as ``"dysts:Halvorsen"`` (extra ``dysts``).

    Returns
    -------
    type
        The subclass of `System` that is registered under the name.

    Raises
    ------
    UnknownNameError
        If there is no system with that name. It is a KeyError, and its message lists the names.
    """
    return SYSTEMS.get(name)


def get(name: str, **parameters: Any) -> System:
    """Return a system with the given parameters.

    Parameters
    ----------
    name : str
        Name of the system, or that of a flow of the package dysts, such as ``"dysts:Halvorsen"`` (extra ``dysts``).
    **parameters
        Parameters of the system. The others keep their defaults.

    Returns
    -------
    System
        The system with these parameters.

    Raises
    ------
    UnknownNameError
        If there is no system with that name. It is a KeyError, and its message lists the names.
    InputError
        If the system does not have one of the parameters.

    Examples
    --------
    >>> get("van-der-pol", mu=1.0).parameters
    {'mu': 1.0}
    """
    return SYSTEMS.build(name, parameters)
