"""The unknown parameters of a fit: common to all runs, or with values of their own in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass

import numpy as np

from systems.errors import InputError
from systems.parametrized import numbers_of
from systems.system import System

Array = np.ndarray


@dataclass(frozen=True)
class Unknowns:
    """The unknown parameters of several runs as one vector.

    Parameters
    ----------
    names : tuple of str
        The free parameters of the system.
    labels : tuple of str
        The elements of the vector: a name, or ``name[run]`` for a parameter with a value in each run.
    columns : shape ``(R, P)``
        The elements that are the free parameters of each run.
    start, low, high : shape ``(N,)``
        Initial values and bounds.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    columns: Array
    start: Array
    low: Array
    high: Array


def unknowns(
    system: System,
    runs: int,
    parameters: Sequence[str] | str | None,
    each: Sequence[str],
    bounds: Mapping[str, tuple[float, float]] | None,
) -> Unknowns:
    """Return the unknowns. Raises InputError for names that are not parameters, and bounds that exclude the initial value."""
    if not is_dataclass(system):
        raise InputError(f"{type(system).__name__} is not a dataclass, so its parameters are not known; make it a frozen one")
    declared = numbers_of(system)
    given = (parameters,) if isinstance(parameters, str) else parameters
    names = declared if given is None else (*given, *(name for name in each if name not in given))
    limits = dict(bounds or {})
    for name in (*names, *each, *limits):
        if name not in declared:
            told = ", ".join(declared) or "none"
            raise InputError(f"{name!r} is not a parameter that can be fitted; the parameters of this system are: {told}")
    if len(set(names)) < len(names):
        raise InputError(f"every parameter may be named once, not {', '.join(names)}")
    if idle := [name for name in limits if name not in names]:
        raise InputError(f"bounds are given for {idle[0]}, which is not fitted; add it to parameters or leave them out")
    labels, columns = [], np.zeros((runs, len(names)), int)
    for place, name in enumerate(names):
        copies = [f"{name}[{run}]" for run in range(runs)] if name in each else [name]
        columns[:, place] = len(labels) + (np.arange(runs) if name in each else 0)
        labels += copies
    start, low, high = (np.zeros(len(labels)) for _ in range(3))
    for place, name in enumerate(names):
        start[columns[:, place]] = float(getattr(system, name))
        least, most = limits.get(name, (-np.inf, np.inf))
        if not least < most:
            raise InputError(f"the bounds of {name} must be (low, high) with low < high, not {limits[name]}")
        if not least <= float(getattr(system, name)) <= most:
            raise InputError(
                f"{name} starts at {getattr(system, name):g}, outside of its bounds {limits[name]}; pass a system within them"
            )
        low[columns[:, place]], high[columns[:, place]] = least, most
    return Unknowns(names, tuple(labels), columns, start, low, high)
