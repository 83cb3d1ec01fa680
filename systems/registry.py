"""Systems by name: the built-in ones, and those that other distributions offer by an entry point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import entry_points
from typing import Any, TypeVar

from systems.errors import InputError, UnknownNameError
from systems.system import System

GROUP = "physlearn.systems"

_registered: dict[str, type[System]] = {}
S = TypeVar("S", bound=type[System])


def register(name: str) -> Callable[[S], S]:
    """Class decorator: makes a system available as ``systems.get(name)``.

    Another distribution needs no import for that when its metadata name the class in the entry-point group
    ``physlearn.systems``: ``my-system = "my_package.my_system:MySystem"``. Raises InputError for a name that is taken.
    """

    def decorate(cls: S) -> S:
        owner = _registered.get(name, cls)
        if not same(owner, cls):
            raise InputError(f"the system name {name!r} is taken by {owner.__qualname__} of {owner.__module__}")
        cls.name = name
        _registered[name] = cls
        return cls

    return decorate


def same(one: Any, other: Any) -> bool:
    """Whether these are one class or function, or one that was loaded again, as when a notebook's cell is run twice."""
    places = [(getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)) for thing in (one, other)]
    return one is other or (places[0] == places[1] and None not in places[0])


def names() -> list[str]:
    """The names of all systems, sorted."""
    return sorted({*_registered, *(point.name for point in entry_points(group=GROUP))})


def find(name: str) -> type[System]:
    """The class of the system of that name. Raises UnknownNameError (a KeyError), listing the names there are."""
    if name in _registered:
        return _registered[name]
    for point in entry_points(group=GROUP, name=name):
        cls = point.load()
        if "name" not in vars(cls):  # a name that is inherited is another system's
            cls.name = name
        return cls
    raise UnknownNameError(f"no system {name!r}; there are {', '.join(names())}")


def get(name: str, **parameters: Any) -> Any:
    """The system of that name with the parameters given, the others at their defaults.

    Raises UnknownNameError (a KeyError) for an unknown name, InputError for an unknown parameter.

    >>> get("van-der-pol", mu=1.0).parameters
    {'mu': 1.0}
    """
    cls = find(name)
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    if unknown := sorted(set(parameters) - set(known)):
        raise InputError(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return cls(**parameters)
