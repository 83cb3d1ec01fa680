"""Registry of named objects from this package, from user code, and from other distributions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from systems.errors import InputError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named objects of one kind.

    Other distributions add objects without being imported, by naming them in an entry-point group of their metadata.

    Parameters
    ----------
    kind : str
        Noun for an object in error messages, such as ``"system"``.
    group : str
        Entry-point group, such as ``"physlearn.systems"``.
    source : callable, optional
        Function that returns the class or function from which an object was made. Defaults to the object itself.
    hint : str, default ""
        Text that the message about an unknown name appends to the list of names.
    modules : sequence of str, default ()
        Modules that register the built-in objects. They are imported when the registry is first used.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        *,
        source: Callable[[T], object] = lambda thing: thing,
        hint: str = "",
        modules: Sequence[str] = (),
    ) -> None:
        self.kind = kind
        self.group = group
        self.hint = hint
        self._source = source
        self._modules = modules
        self._registered: dict[str, T] = {}

    def names(self) -> list[str]:
        """Return all names.

        Returns
        -------
        list of str
            The registered names in the order of their registration, then those of other distributions, sorted.
        """
        self._import_modules()
        return [*self._registered, *sorted(_offered(self.group).keys() - self._registered.keys())]

    def check(self, name: str) -> None:
        """Check that a name is known, without loading an object of another distribution.

        Parameters
        ----------
        name : str
            Name of an object.

        Raises
        ------
        UnknownNameError
            If nothing is registered under the name. It is a KeyError, and its message lists the names.
        """
        self._import_modules()
        known = isinstance(name, str) and (name in self._registered or name in _offered(self.group))
        if not known:
            raise UnknownNameError.of(f"no {self.kind}", name, self.names(), self.hint)

    def get(self, name: str) -> T:
        """Return the object with the given name.

        Parameters
        ----------
        name : str
            Name of an object.

        Returns
        -------
        object
            The object, which is loaded if it belongs to another distribution.

        Raises
        ------
        UnknownNameError
            If nothing is registered under the name. It is a KeyError, and its message lists the names.
        """
        self.check(name)
        if name in self._registered:
            return self._registered[name]
        loaded: T = _offered(self.group)[name].load()
        return self._registered.get(name, loaded)  # its module may have registered it, too

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers a class, a function or another object under a name.

        An object from the same definition as the registered one replaces it, as when a notebook cell is run again.

        Parameters
        ----------
        name : str
            Name of the object.

        Returns
        -------
        callable
            Decorator that registers its argument and returns it. It raises InputError if another object has the name.
        """

        def decorate(thing: T) -> T:
            self._import_modules()
            if name in self._registered and not same(owner := self._source(self._registered[name]), self._source(thing)):
                by = f" by {owner.__qualname__} of {owner.__module__}" if hasattr(owner, "__qualname__") else ""
                raise InputError(f"the {self.kind} name {name!r} is taken{by}; choose another name")
            self._registered[name] = thing
            return thing

        return decorate

    def holds(self, name: str, thing: T) -> bool:
        """Return whether an object is the one that is registered under a name.

        Parameters
        ----------
        name : str
            Name to look up.
        thing : object
            Object to compare by identity.

        Returns
        -------
        bool
            True if the object itself is registered under the name.
        """
        return self._registered.get(name) is thing

    def _import_modules(self) -> None:
        modules, self._modules = self._modules, ()  # emptied first, because these modules register what they define
        for module in modules:
            import_module(module)


def _offered(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of other distributions, by name; one that is installed while the process runs is found, too."""
    return _entry_points(group, tuple((place, _changed(place)) for place in sys.path))


@lru_cache
def _entry_points(group: str, places: tuple[tuple[str, int], ...]) -> Mapping[str, EntryPoint]:
    """Read the metadata of all distributions, which takes a hundred times as long as a look-up."""
    return {point.name: point for point in reversed(tuple(entry_points(group=group)))}  # of two with a name, the first counts


def _changed(place: str) -> int:
    """Return when the content of a folder changed, in nanoseconds; 0 if it does not exist."""
    try:
        return os.stat(place or os.curdir).st_mtime_ns
    except OSError:
        return 0


def same(one: object, other: object) -> bool:
    """Return whether two classes or functions come from the same definition, as when a notebook cell is run twice."""
    places = [(getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)) for thing in (one, other)]
    return one is other or (places[0] == places[1] and None not in places[0])
