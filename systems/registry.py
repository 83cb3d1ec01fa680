"""Systems by name: the built-in ones, and those that other distributions offer by an entry point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, cast

from systems.errors import InputError
from systems.generic_registry import Registry
from systems.system import System

SYSTEMS: Registry[type[System]] = Registry("system", "physlearn.systems")
S = TypeVar("S", bound=type[System])


def register(name: str) -> Callable[[S], S]:
    """Class decorator: makes a system available as ``systems.get(name)``.

    Another distribution needs no import for that when its metadata name the class in the entry-point group
    ``physlearn.systems``: ``my-system = "my_package.my_system:MySystem"``. Raises InputError for a name that is taken.
    """

    def decorate(cls: S) -> S:
        SYSTEMS.register(name)(cls)
        cls.name = name
        return cls

    return decorate


def names() -> list[str]:
    """The names of all systems, sorted."""
    return sorted(SYSTEMS.names())


def find(name: str) -> type[System]:
    """The class of the system of that name. Raises UnknownNameError (a KeyError), listing the names there are."""
    cls = SYSTEMS.get(name)
    if "name" not in vars(cls):  # a name that is inherited is another system's
        cls.name = name
    return cls


def get(name: str, **parameters: Any) -> System:
    """The system of that name with the parameters given, the others at their defaults.

    Raises UnknownNameError (a KeyError) for an unknown name, InputError for an unknown parameter.

    >>> get("van-der-pol", mu=1.0).parameters
    {'mu': 1.0}
    """
    cls = cast(Callable[..., System], find(name))
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    if unknown := sorted(set(parameters) - set(known)):
        raise InputError(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return cls(**parameters)
