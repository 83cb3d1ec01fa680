"""Registry: objects of one kind by name, from this package, from a user's code, and from other distributions."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from systems.errors import InputError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Objects of one kind by name.

    Other distributions add theirs without being imported: each names its object in an entry-point group of its metadata.

    Parameters
    ----------
    kind
        What an object is called in messages, such as ``"system"``.
    group
        The entry-point group, such as ``"physlearn.systems"``.
    source
        Returns the class or function that an object was made from, if that is not the object itself.
    hint
        What else a name may be, for the message about an unknown one.
    """

    def __init__(self, kind: str, group: str, *, source: Callable[[T], object] = lambda thing: thing, hint: str = "") -> None:
        self.kind = kind
        self.group = group
        self.hint = hint
        self._source = source
        self._registered: dict[str, T] = {}

    def names(self) -> list[str]:
        """Return all names: those registered, in that order, then those of other distributions, sorted."""
        offered = {point.name for point in entry_points(group=self.group)}
        return [*self._registered, *sorted(offered - self._registered.keys())]

    def check(self, name: str) -> None:
        """Raise UnknownNameError (a KeyError), which lists the names, unless there is an object of that name.

        An object of another distribution is not loaded.
        """
        if name not in self._registered and not entry_points(group=self.group, name=name):
            known = ", ".join(self.names())
            raise UnknownNameError(f"no {self.kind} {name!r}; there are {known}{self.hint}")

    def get(self, name: str) -> T:
        """Return the object of that name. Raises UnknownNameError (a KeyError), which lists the names."""
        self.check(name)
        if name in self._registered:
            return self._registered[name]
        (point, *_) = entry_points(group=self.group, name=name)
        loaded: T = point.load()
        return self._registered.get(name, loaded)  # its module may have registered it as well

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that makes a class, a function or another object available by that name.

        An object that comes from the same definition as the one registered, as when a notebook's cell is run again, replaces
        it. The decorator raises InputError for a name that is taken by any other.
        """

        def decorate(thing: T) -> T:
            if name in self._registered and not same(owner := self._source(self._registered[name]), self._source(thing)):
                by = f" by {owner.__qualname__} of {owner.__module__}" if hasattr(owner, "__qualname__") else ""
                raise InputError(f"the {self.kind} name {name!r} is taken{by}; choose another name")
            self._registered[name] = thing
            return thing

        return decorate

    def holds(self, name: str, thing: T) -> bool:
        """Return whether that very object is registered under the name."""
        return self._registered.get(name) is thing


def same(one: object, other: object) -> bool:
    """Return whether two objects are one class or function, or the same one loaded again, as when a cell is run twice."""
    places = [(getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)) for thing in (one, other)]
    return one is other or (places[0] == places[1] and None not in places[0])
