"""What flows and maps have in common: named coordinates, and parameters that are the fields of a frozen dataclass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from inspect import isfunction, signature
from math import isfinite
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from systems.errors import InputError
from systems.floats import takes_arrays

ARRAYS = {"z", "z0", "q", "p", "t"}  # the names of arguments that are states, halves of them, or times


class Parametrized:
    """Coordinates, some of them angles, and parameters. The base of `systems.System` and of `systems.maps.Map`."""

    name: ClassVar[str] = ""
    coordinates: ClassVar[tuple[str, ...]]
    periods: ClassVar[Mapping[str, float]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Have the methods of a subclass take states as NumPy arrays and lists, too."""
        super().__init_subclass__(**options)
        for name, method in list(vars(cls).items()):
            if isfunction(method) and not name.startswith("_") and ARRAYS & signature(method).parameters.keys():
                setattr(cls, name, takes_arrays(*ARRAYS)(method))

    def __post_init__(self) -> None:
        for parameter in fields(self):  # type: ignore[arg-type]
            value = getattr(self, parameter.name)
            if isinstance(value, np.generic):  # files of settings cannot hold NumPy scalars
                object.__setattr__(self, parameter.name, value := value.item())
            if parameter.type in ("float", float) and not (isinstance(value, Real) and isfinite(value)):
                raise InputError(f"{parameter.name} of {self.name} must be a finite number, not {value!r}")

    @property
    def dim(self) -> int:
        """Dimension of the phase space, which is the number of coordinates."""
        return len(self.coordinates)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name, which are the fields of the dataclass. Raises InputError if a class keeps others."""
        if not is_dataclass(self):
            if own := sorted(vars(self)):
                what = f"{type(self).__name__} keeps {own[0]!r}, but is not a dataclass"
                raise InputError(f"{what}; write @dataclass(frozen=True) above the class")
            return {}
        return {f.name: getattr(self, f.name) for f in fields(self)}


def origin_of(system: Parametrized) -> dict[str, Any]:
    """Return what the provenance of an orbit tells of the system or map: its name and its parameters."""
    return {"system": system.name or type(system).__name__, "parameters": system.parameters}


def numbers_of(system: Parametrized) -> tuple[str, ...]:
    """Return the names of the parameters of a system or map that are declared as numbers."""
    return tuple(f.name for f in fields(system) if f.type in ("float", float)) if is_dataclass(system) else ()


def check_parameters(name: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise InputError if one of the given names is not that of a parameter of the system or map that is called ``name``."""
    if unknown := sorted(set(given) - set(known)):
        raise InputError(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(known) or 'none'}")
