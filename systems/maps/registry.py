"""Registry of maps by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from systems.class_registry import ClassRegistry
from systems.maps.map import Map

MAPS: ClassRegistry[Map] = ClassRegistry("map", "physlearn.maps", modules=("systems.maps",))
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
    return cast(Callable[[M], M], MAPS.register(name))


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
    return MAPS.names()


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
    return MAPS.build(name, parameters)
