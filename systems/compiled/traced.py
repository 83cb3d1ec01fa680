"""Fields and maps that are traced: those of systems, once for all values of their parameters, and those of functions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import Field, fields, is_dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from systems.compiled.expression import Graph
from systems.compiled.field import ParametrizedField, TracedField
from systems.compiled.operators import UntraceableError
from systems.compiled.trace import trace
from systems.parametrized import Parametrized, numbers_of

if TYPE_CHECKING:
    from systems.maps import Map
    from systems.system import System

Law = Callable[[Any, Tensor, Tensor], Tensor]  # of a system or a map, each of which has its own law


def _rates_of(system: System, t: Tensor, z: Tensor) -> Tensor:
    """Return dz/dt: the law of a system."""
    return system.vector_field(t, z)


def step_of(map_: Map, t: Tensor, z: Tensor) -> Tensor:
    """Return the next states: the law of a map."""
    return map_.step(z)


def field_of_system(system: Parametrized, law: Law = _rates_of) -> ParametrizedField:
    """Return the field of a system, whose parameters stay arguments if the system can be traced in that way.

    Parameters
    ----------
    system : System
        A system. If it is a frozen dataclass, its field is traced once for all values of its parameters.

    Returns
    -------
    ParametrizedField
        The field, with the parameters of the system.

    Raises
    ------
    UntraceableError
        If the field cannot be traced.
    """
    names = numbers_of(system)
    values = [float(getattr(system, name)) for name in names]
    given: tuple[Field[Any], ...] = fields(system) if is_dataclass(system) else ()
    others = tuple((f.name, getattr(system, f.name)) for f in given if f.name not in names)
    if given or not vars(system):
        try:
            field = _traced_class(cast(Hashable, type(system)), law, names, others, _Example(tuple(values)))
            return ParametrizedField(field, values)
        except (UntraceableError, TypeError):  # it takes its parameters for numbers, or others cannot be told apart
            pass
    return field_of_function(partial(law, system), system.dim)


def field_of_function(function: Callable[..., Tensor], dim: int, parameters: Sequence[float] = ()) -> ParametrizedField:
    """Return the field of a function ``f(t, z, *parameters)``, which is traced anew, as it may have changed.

    Raises UntraceableError if the function cannot be traced.
    """
    examples = [torch.tensor(value, dtype=torch.float64) for value in parameters]
    return ParametrizedField(_field(function, dim, examples), parameters)


class _Example:
    """Values at which a function is traced. They do not count as long as it does not depend on them by ``if``."""

    def __init__(self, values: tuple[float, ...]) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Example)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=256)
def _traced_class(
    cls: type[Parametrized], law: Law, names: tuple[str, ...], others: tuple[tuple[str, Any], ...], values: _Example
) -> TracedField:
    def function(t: Tensor, z: Tensor, *parameters: Tensor) -> Tensor:
        one = object.__new__(cls)  # a fresh one: what a system has computed from its own parameters must not be kept
        for name, value in (*others, *zip(names, parameters, strict=True)):
            object.__setattr__(one, name, value)
        return law(one, t, z)

    dim = len(cls.coordinates)
    examples = [torch.tensor(value, dtype=torch.float64) for value in values.values]
    return _field(function, dim, examples)


def _field(function: Callable[..., Tensor], dim: int, parameters: list[Tensor]) -> TracedField:
    graph = Graph()
    coordinates = [graph.variable("z", place) for place in range(dim)]
    t = torch.tensor(0.25, dtype=torch.float64)
    z = 0.1 + 0.8 * torch.arange(1, dim + 1, dtype=torch.float64) / dim
    numbers = [graph.variable("t"), *(graph.variable("p", place) for place in range(len(parameters)))]
    variables = [np.array(one, dtype=object) for one in (numbers[0], coordinates, *numbers[1:])]
    rates = trace(function, [t, z, *parameters], variables, graph)
    if len(rates) != dim:
        raise UntraceableError(f"it returns {len(rates)} rates for {dim} coordinates")
    return TracedField(rates, coordinates)
