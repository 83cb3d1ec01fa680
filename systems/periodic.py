"""Periodic coordinates, such as angles: values that differ by a whole period are equivalent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf, isclose, isfinite
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError


def check_periods(periods: Mapping[str, float], coordinates: Sequence[str]) -> dict[str, float]:
    """Validate the periods of coordinates and return them as a plain dictionary.

    Raises InputError if a name is not one of the coordinates, or if a period is not a positive finite number.
    """
    if not isinstance(periods, Mapping):
        raise InputError(f"periods must map names of coordinates to numbers, such as {{'theta': 6.283}}, not {periods!r:.80}")
    for name, value in periods.items():
        if name not in coordinates:
            raise InputError(f"a period is given for {name!r}, which is not one of the coordinates {', '.join(coordinates)}")
        if isinstance(value, bool) or not (isinstance(value, Real) and isfinite(value) and value > 0):
            raise InputError(f"the period of {name} must be a positive number, not {value!r}")
    return {name: float(value) for name, value in periods.items()}


def agreed_periods(given: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Merge the periods that several orbits declare. Raises InputError if two of them disagree."""
    common: dict[str, float] = {}
    for periods in given:
        for name, period in periods.items():
            if not isclose(common.setdefault(name, period), period, rel_tol=1e-6):
                raise InputError(
                    f"{name} has the period {common[name]:g} in one orbit and {period:g} in another; use one period"
                )
    return common


def shortest(
    difference: Float[Tensor, "*batch D"], periods: Mapping[str, float], coordinates: Sequence[str]
) -> Float[Tensor, "*batch D"]:
    """Reduce differences between states modulo the periods, to the shortest equivalent ones.

    >>> shortest(torch.tensor([6.0, 6.0]), {"theta": 6.28}, ("theta", "p"))
    tensor([-0.2800,  6.0000])
    """
    if not periods:
        return difference
    period = difference.new_tensor([periods.get(name, inf) for name in coordinates])
    turns = (difference / period).round()  # zero for a coordinate without a period, whose period is infinite
    return difference - torch.where(period.isfinite(), turns * period, 0.0)
