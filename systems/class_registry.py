"""Registry of classes whose instances have parameters: those of flows, and those of maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from systems.generic_registry import Registry
from systems.parametrized import Parametrized, check_parameters

P = TypeVar("P", bound=Parametrized)


class ClassRegistry(Registry[type[P]]):
    """Named classes, which know the names that they are registered under. The arguments are those of `Registry`."""

    def register(self, name: str) -> Callable[[type[P]], type[P]]:
        """Return a decorator that registers a class, and makes the name its own."""
        add = super().register(name)

        def decorate(cls: type[P]) -> type[P]:
            add(cls)
            cls.name = name
            return cls

        return decorate

    def names(self) -> list[str]:
        """Return all names in alphabetical order."""
        return sorted(super().names())

    def get(self, name: str) -> type[P]:
        """Return the class with the given name. Raises UnknownNameError, a KeyError that lists the names, if there is none."""
        cls = super().get(name)
        if "name" not in vars(cls):  # an inherited name belongs to another class
            cls.name = name
        return cls

    def build(self, name: str, parameters: dict[str, Any]) -> P:
        """Return an instance with these parameters. Raises InputError if the class does not have one of them."""
        cls: Any = self.get(name)
        check_parameters(name, parameters, [field.name for field in fields(cls)])
        built: P = cls(**parameters)
        return built
