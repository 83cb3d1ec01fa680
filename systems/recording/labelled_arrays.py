"""Orbits from the labelled arrays of xarray."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from systems.errors import InputError
from systems.orbit_attributes import told_by
from systems.recording.csv_columns import listed
from systems.recording.runs import tensor

TIMES = ("time", "t", "sample")
COORDINATES = ("coordinate", "variable", "component")


def content(data: Any, t: str | None, coordinates: Sequence[str] | None, run: str | None) -> dict[str, Any]:
    """Return the parts of an orbit from a Dataset or DataArray; see `systems.Orbit.of`."""
    time = _dimension(data, t, TIMES)
    if hasattr(data, "data_vars") and "z" not in data.data_vars:
        return _of_variables(data, time, coordinates, run)
    states = data["z"] if hasattr(data, "data_vars") else data
    label = _dimension(states, None, COORDINATES)
    names = list(coordinates or ())
    if label in states.coords:
        known = [str(name) for name in states[label].values]
        if missing := [name for name in names if name not in known]:
            raise InputError(f"there is no coordinate {missing[0]!r}, only {listed(known)}")
        names = names or known
        data, states = data.sel({label: names}), states.sel({label: names})
    values = {"z": states}
    if hasattr(data, "data_vars") and "rate" in data.data_vars:
        values["rate"] = data["rate"]
    parts: dict[str, Any] = {k: tensor(v.transpose(..., time, label).values) for k, v in values.items()}
    units = {}
    if "units" in data.coords and names:
        units = {name: str(unit) for name, unit in zip(names, data["units"].values, strict=True) if str(unit) != "1"}
    told = told_by(data.attrs)
    if "periods" in told:
        told["periods"] = {name: period for name, period in told["periods"].items() if name in names}
    return {**parts, **told, **_times(data, time, units), "coordinates": tuple(names)}


def _of_variables(data: Any, time: str, coordinates: Sequence[str] | None, run: str | None) -> dict[str, Any]:
    names = [str(name) for name, values in data.data_vars.items() if time in values.dims and values.dtype.kind in "fiu"]
    if coordinates is not None:
        if missing := [name for name in coordinates if name not in data.data_vars]:
            raise InputError(f"the dataset has no variable {missing[0]!r}, only {listed(names)}")
        names = list(coordinates)
    if not names:
        raise InputError(f"the dataset has no variable of numbers along the dimension {time!r}")
    shapes = {name: data[name].dims for name in names}
    if len(set(map(frozenset, shapes.values()))) > 1:
        raise InputError(f"all coordinates must have the same dimensions, but they have {shapes}")
    order = [dim for dim in shapes[names[0]] if dim != time]
    if run is not None and run not in order:
        told = f"name one of {listed(map(str, order))}" if order else "leave run out"
        raise InputError(f"run={run!r} is not a dimension of the coordinates; {told}")
    z = np.stack([data[name].transpose(*order, time).values.astype(np.float64) for name in names], axis=-1)
    units = {name: str(data[name].attrs["units"]) for name in names if data[name].attrs.get("units", "1") != "1"}
    return {"z": tensor(z), **_times(data, time, units), "coordinates": tuple(names)}


def _times(data: Any, time: str, units: dict[str, str]) -> dict[str, Any]:
    """Return the times, in seconds if they are dates, and all units."""
    source = data[time] if time in data.coords else data["time"] if "time" in data.coords else None
    if source is None:
        raise InputError(f"the dimension {time!r} has no values; give it coordinates, which are the times")
    values = source.values
    if values.dtype.kind in "mM":
        moved = values - values[..., :1] if values.dtype.kind == "M" else values
        return {"t": tensor(moved / np.timedelta64(1, "s")), "units": {**units, "t": "s"}}
    own = {"t": str(source.attrs["units"])} if source.attrs.get("units", "1") != "1" else {}
    return {"t": tensor(values), "units": {**units, **own}}


def _dimension(data: Any, given: str | None, usual: Sequence[str]) -> str:
    dims = [str(dim) for dim in data.dims]
    found = given if given in dims else next((name for name in usual if name in dims), None) if given is None else None
    if found is None:
        wanted = repr(given) if given is not None else f"named {' or '.join(map(repr, usual))}"
        raise InputError(f"the data have no dimension {wanted}, only {listed(dims)}; rename one of them")
    return found
