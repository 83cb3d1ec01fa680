"""Data in any usual form as the parts of an orbit; see `systems.Orbit.of`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from systems.errors import InputError
from systems.floats import floats
from systems.joined_orbits import check_joinable
from systems.recording.angles import angle_periods, refuse_jumps
from systems.recording.runs import Run, joined, of_orbit
from systems.states import check_times
from systems.units_of_data import TIME, check_units

Parts = dict[str, Any]


def content(
    data: Any,
    t: Any,
    coordinates: Sequence[str] | None,
    rate: Any,
    periods: Mapping[str, float] | None,
    units: Mapping[str, str] | None,
    run: str | None,
    columns: Sequence[str] | None = None,
) -> Parts:
    """Return the arguments with which to create an Orbit. Raises InputError; see `systems.Orbit.of` for the arguments."""
    if coordinates is not None:
        coordinates = (coordinates,) if isinstance(coordinates, str) else tuple(coordinates)
    if units is not None:
        check_units(units, [name for name in units if name != TIME])
    files = [data] if _is_path(data) else list(data) if _is_list(data) and data and all(map(_is_path, data)) else []
    if not files:
        if columns is not None:
            raise InputError("columns names the columns of a file; rename those of a table, or select some by coordinates")
        return _content(data, t, coordinates, rate, periods, units, run)
    from systems.recording import csv_table  # importing pandas is slow

    tables = [csv_table.read_labelled(path, columns, run) for path in files]
    name = ", ".join(Path(path).name for path in files)
    try:
        parts = _content(tables if _is_list(data) else tables[0], t, coordinates, rate, periods, units, run)
        if periods is None:
            refuse_jumps(parts["z"], parts["coordinates"], parts["periods"])
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return {**parts, "provenance": {"file": name}}


def _content(
    data: Any,
    t: Any,
    coordinates: Sequence[str] | None,
    rate: Any,
    periods: Mapping[str, float] | None,
    units: Mapping[str, str] | None,
    run: str | None,
) -> Parts:
    if hasattr(data, "to_orbit"):
        data = data.to_orbit()
    if _is_orbit(data) or (_is_list(data) and data and all(map(_is_orbit, data))):
        if t is not None or rate is not None:
            raise InputError("an orbit has its own times and rates; pass orbit.z instead to give it others")
        parts = _of_orbits(data)
        names = parts["coordinates"] if coordinates is None else coordinates
    elif hasattr(data, "dims") and hasattr(data, "coords"):
        from systems.recording import labelled_arrays

        parts = labelled_arrays.content(data, t, coordinates, run)
        names = parts["coordinates"]
    elif _is_table(data) or (_is_list(data) and data and all(map(_is_table, data))):
        from systems.recording import frames  # importing pandas is slow

        parts = frames.content(data, t, coordinates, rate, run)
        names = parts["coordinates"]
    else:
        parts, names = _of_arrays(data, t, rate), coordinates or ()
    known = {**parts.get("units", {}), **(units or {})}
    if periods is None:
        periods = parts.get("periods") or angle_periods(names, known)
    return {**parts, "coordinates": tuple(names), "periods": periods, "units": known}


def _of_orbits(data: Any) -> Parts:
    orbits = [data] if _is_orbit(data) else list(data)
    first = orbits[0]
    for name in ("coordinates", "periods", "units"):
        if any(getattr(orbit, name) != getattr(first, name) for orbit in orbits):
            raise InputError(f"orbits with different {name} cannot form a batch; keep them in a list")
    check_joinable([orbit.provenance for orbit in orbits])
    told = {name: getattr(first, name) for name in ("coordinates", "periods", "units", "provenance")}
    if _is_orbit(data):
        return {**told, "t": data.t, "z": data.z, "rate": data.rate}
    return {**told, **joined([run for orbit in orbits for run in of_orbit(orbit)])}


def _of_arrays(data: Any, t: Any, rate: Any) -> Parts:
    if t is None:
        raise InputError("the times of the states are missing; pass them as t, such as Orbit.of(states, t)")
    if isinstance(t, str):
        raise InputError(f"t={t!r} names a column, but the states are an array without names; pass the times themselves")
    if _ragged(data) and not _are_rows(data, t):
        times = list(t) if _several(t, len(data)) else [t] * len(data)
        if len(times) != len(data):
            raise InputError(f"{len(data)} runs need times for each, but there are {len(times)} lists of times")
        rates = [None] * len(data) if rate is None else list(rate)
        if len(rates) != len(data):
            raise InputError(f"{len(data)} runs need rates for each, but there are {len(rates)}")
        return joined([_run(*parts) for parts in zip(times, data, rates, strict=True)])
    z, own = floats(data, "states"), floats(t, "times")
    z = z.unsqueeze(-1) if z.shape == own.shape else z  # a single coordinate
    rate = None if rate is None else floats(rate, "rates")
    return {"t": own, "z": z, "rate": rate if rate is None or rate.ndim == z.ndim else rate.reshape(z.shape)}


def _run(t: Any, z: Any, rate: Any) -> Run:
    times, states = floats(t, "times"), floats(z, "states")
    states = states.unsqueeze(-1) if states.ndim == 1 else states
    check_times(times)
    if states.ndim != 2 or len(states) != len(times):
        raise InputError(f"a run of {len(times)} times needs states of shape ({len(times)}, D), not {tuple(states.shape)}")
    own = None if rate is None else floats(rate, "rates").reshape(states.shape)
    return Run(times, states, own)


def _is_path(data: Any) -> bool:
    return isinstance(data, str | os.PathLike)


def _is_list(data: Any) -> bool:
    return isinstance(data, list | tuple)


def _is_orbit(data: Any) -> bool:
    return hasattr(data, "separate") and hasattr(data, "z")


def _is_table(data: Any) -> bool:
    return hasattr(data, "iloc") or isinstance(data, Mapping)


def _ragged(data: Any) -> bool:
    """Return whether data are a list of runs, each an array, tensor or nested list, rather than one array."""
    if not _is_list(data) or not data:
        return False
    if any(isinstance(part, np.ndarray | Tensor) and part.ndim > 0 for part in data):
        return True
    lengths = {len(part) for part in data if _is_list(part)}
    nested = all(_is_list(part) and part and _is_list(part[0]) for part in data)
    return nested or len(lengths) > 1


def _are_rows(data: Sequence[Any], t: Any) -> bool:
    """Return whether data are a list with one state for each time, each an array or a tensor, and not a list of runs."""
    if not all(isinstance(part, np.ndarray | Tensor) and part.ndim == 1 for part in data):
        return False
    return not _several(t, len(data)) and len(data) == len(t) and {len(part) for part in data} != {len(t)}


def _several(t: Any, runs: int) -> bool:
    """Return whether t has times for each run rather than common ones."""
    if isinstance(t, np.ndarray | Tensor):
        return t.ndim > 1
    return _is_list(t) and bool(t) and (_is_list(t[0]) or getattr(t[0], "ndim", 0) > 0)
