"""Systems with other values of a parameter, and tables of what is measured for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.flow import FlowLike
from systems import InputError, Suspension, System
from systems.maps import Map
from systems.parametrized import check_parameters
from systems.scalars import real

Adjustable = System | Map | Callable[..., FlowLike | Map]
"""A system or a map, or a function that returns a flow or a map for parameters that are given by name."""


def sweep(
    system: Adjustable,
    parameters: Mapping[str, Iterable[float]],
    measure: Callable[..., object],
    *,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure a system for all combinations of values of some parameters.

    Parameters
    ----------
    system
        A system or a map. A trained model or a function takes part through a function that returns it for parameters that
        are given by name, such as ``lambda mu: (lambda t, z: field(t, z, mu))``.
    parameters
        The values of each parameter, by name.
    measure
        A function of the system with these values. It returns a number, several numbers (such as one for each orbit), or a
        mapping of names to such results.
    progress
        Whether to show a progress bar, which appears after one second.

    Returns
    -------
    DataFrame
        One row for each number: the parameters, the index ``item`` if there are several numbers, and the column ``value`` or
        those of the mapping.

    Raises
    ------
    InputError
        For invalid arguments, or if the lengths of several results differ.

    Examples
    --------
    >>> import systems
    >>> from physlearn.chaos import lyapunov_exponents
    >>> table = sweep(
    ...     systems.maps.get("logistic"),
    ...     {"r": [2.5, 4.0]},
    ...     lambda one: float(lyapunov_exponents(one, [[0.3]], 5000)),
    ... )
    >>> table.round(1)
         r  value
    0  2.5   -0.7
    1  4.0    0.7
    """
    if not parameters:
        raise InputError("no parameters were given; give the values of at least one, such as {'mu': [0.5, 1.0]}")
    values = {name: values_of(name, given) for name, given in parameters.items()}
    combinations = [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
    parts = []
    for one in tqdm(combinations, disable=not progress, desc="sweep", delay=1, leave=False):
        parts.append(pd.DataFrame(_columns(one, measure(with_parameters(system, **one)))))
    return pd.concat(parts, ignore_index=True)


def values_of(name: str, values: Iterable[float]) -> list[float]:
    """Return the values of a parameter; raise InputError if there are none, or if one is not a finite number."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().tolist()
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"the values of {name} must be a list of numbers, not {values!r}")
    found = [real(f"each value of {name}", value) for value in values]
    if not found:
        raise InputError(f"no values of {name} were given; give at least one")
    return found


def with_parameters(system: Adjustable, **values: float) -> FlowLike | Map:
    """Return the system with these values of its parameters; raise InputError if it does not have one of them."""
    if isinstance(system, Suspension):
        return Suspension(cast(System, with_parameters(system.driven, **values)))
    if isinstance(system, System | Map):
        check_parameters(system.name, values, system.parameters)
        return replace(system, **values)  # type: ignore[type-var] # its parameters are the fields of a dataclass
    if isinstance(system, type) or not callable(system):
        raise InputError(
            f"a {type(system).__name__} has no parameters to change; give a system, a map, or a function that returns a flow "
            "for parameters by name"
        )
    return system(**values)


def _columns(parameters: Mapping[str, float], result: object) -> dict[str, Any]:
    named = dict(_named(result))
    sizes = {np.size(numbers) for numbers in named.values() if np.ndim(numbers)}
    if len(sizes) > 1:
        raise InputError(f"measure returned results of different lengths, {sorted(sizes)}; return one length, or numbers")
    if not sizes:
        return {name: [value] for name, value in {**parameters, **named}.items()}
    size = sizes.pop()
    columns = {**parameters, "item": np.arange(size), **named}
    return {name: np.broadcast_to(np.ravel(value), (size,)) for name, value in columns.items()}


def _named(result: object) -> Iterator[tuple[str, Any]]:
    for name, numbers in result.items() if isinstance(result, Mapping) else (("value", result),):
        yield str(name), numbers.detach().cpu().numpy() if isinstance(numbers, torch.Tensor) else numbers
