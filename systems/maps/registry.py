"""Registry of maps by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, cast

from systems.errors import InputError
from systems.generic_registry import Registry
from systems.maps.map import Map

MAPS: Registry[type[Map]] = Registry("map", "physlearn.maps", modules=("systems.maps",))
M = TypeVar("M", bound=type[Map])


def register(name: str) -> Callable[[M], M]:
    """Return a class decorator that makes a map available as ``systems.maps.get(name)``.

    Another distribution can register a map by an entry point in the group ``physlearn.maps``.

    Parameters
    ----------
    name : str
        Name of the map, which becomes the ``name`` of the class.

    Returns
    -------
    callable
        Decorator that registers a subclass of `Map` and returns it. It raises InputError if the name is taken.
    """

    def decorate(cls: M) -> M:
        MAPS.register(name)(cls)
        cls.name = name
        return cls

    return decorate


def names() -> list[str]:
    """Return the names of all maps.

    Returns
    -------
    list of str
        Names in alphabetical order, including those of other distributions.

    Examples
    --------
    >>> names()
    ['henon', 'logistic', 'standard']
    """
    return sorted(MAPS.names())


def get(name: str, **parameters: Any) -> Map:
    """Return a map with the given parameters.

    Parameters
    ----------
    name : str
        Name of the map.
    **parameters
        Parameters of the map. The others keep their defaults.

    Returns
    -------
    Map
        The map with these parameters.

    Raises
    ------
    UnknownNameError
        If there is no map with that name. It is a KeyError, and its message lists the names.
    InputError
        If the map does not have one of the parameters.

    Examples
    --------
    >>> get("logistic", r=3.5).parameters
    {'r': 3.5}
    """
    cls = cast(Callable[..., Map], MAPS.get(name))
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    if unknown := sorted(set(parameters) - set(known)):
        raise InputError(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return cls(**parameters)
