"""Reading and writing of tracked films as netCDF-4 files. A strict schema rejects every file that does not contain one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np
import pandas
import torch
import xarray
from numpy.typing import NDArray

from systems import netcdf_file
from systems.errors import InputError
from systems.film.tracking.report import Report
from systems.json_ready import json_ready
from systems.netcdf_file import NetCDF
from systems.orbit import Orbit
from systems.sealed_file import Form

if TYPE_CHECKING:
    from systems.film.tracking.result import Tracking

COLUMNS = ("theta", "omega", "alpha", "theta_error", "omega_error", "alpha_error", "quality")
ENDS = ("upper", "lower")
MARKERS = ("pendulum", "end", "frame")  # whole numbers, where an end is its place in ENDS
PLACES = ("t", "x", "y")
SAMPLES = ("t", "theta", "omega", "theta_rate", "omega_rate")  # of the orbits, one after the other
FORM = Form(
    content="tracked film",
    format="physlearn-tracking-2",
    whole=("pendulum", *(f"marker_{name}" for name in MARKERS), "sample_orbit"),
    floats=("time", *COLUMNS, *(f"marker_{name}" for name in PLACES), *(f"sample_{name}" for name in SAMPLES)),
    texts=("format", "report", "provenance", "orbits"),
    dimensions=re.compile("marker|sample"),
)


def dataset(tracking: Tracking) -> xarray.Dataset:
    """Return the table over (pendulum, time), with the report among the attributes; see `Tracking.to_xarray`."""
    data = tracking.table.set_index(["pendulum", "t"]).to_xarray().rename(t="time")
    data.attrs = {
        "format": FORM.format,
        "report": json.dumps([asdict(report) for report in tracking.report]),
        "provenance": json.dumps(json_ready(tracking.provenance)),
    }
    return data


def save(tracking: Tracking, path: str | os.PathLike[str]) -> None:
    """Write a tracked film with a checksum of its content, atomically."""
    data = dataset(tracking)
    markers = tracking.markers.assign(end=tracking.markers["end"].map(ENDS.index))
    for name in (*MARKERS, *PLACES):
        data[f"marker_{name}"] = ("marker", markers[name].to_numpy())
    orbits = tracking.orbits
    data["sample_orbit"] = ("sample", np.repeat(np.arange(len(orbits)), [len(orbit) for orbit in orbits]))
    samples = [torch.cat([orbit.t[:, None], orbit.z, orbit.rate], -1) for orbit in orbits if orbit.rate is not None]
    for name, column in zip(SAMPLES, torch.cat([torch.zeros(0, len(SAMPLES)), *samples]).double().T.numpy(), strict=True):
        data[f"sample_{name}"] = ("sample", column)
    data.attrs["orbits"] = json.dumps(json_ready([orbit.provenance for orbit in orbits]))
    FORM.write(data, path)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the arguments with which to create the Tracking in a file.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If `save` did not write the file in this form: if it is truncated, changed, of another kind, or refers to other files.
    """
    with netcdf_file.opened(path, "tracked film") as file:
        return _content(file)


def _content(file: NetCDF) -> dict[str, Any]:
    texts, arrays = FORM.read(file)
    pendulums, frames = len(arrays["pendulum"]), len(arrays["time"])
    shapes = {
        "pendulum": (pendulums,),
        "time": (frames,),
        **dict.fromkeys(COLUMNS, (pendulums, frames)),
        **{name: (len(arrays["marker_t"]),) for name in arrays if name.startswith("marker_")},
        **{name: (len(arrays["sample_t"]),) for name in arrays if name.startswith("sample_")},
    }
    if wrong := [name for name, shape in shapes.items() if arrays[name].shape != shape]:
        raise InputError(f"stores {wrong[0]} in the shape {arrays[wrong[0]].shape}, not {shapes[wrong[0]]}")
    table = {"pendulum": np.repeat(arrays["pendulum"], frames), "t": np.tile(arrays["time"], pendulums)}
    return {
        "table": pandas.DataFrame(table | {name: arrays[name].reshape(-1) for name in COLUMNS}),
        "orbits": _orbits(arrays, netcdf_file.listing(texts["orbits"], "orbits")),
        "report": tuple(_report(told) for told in netcdf_file.listing(texts["report"], "report")),
        "markers": _markers(arrays),
        "provenance": netcdf_file.mapping(texts["provenance"], "provenance"),
    }


def _markers(arrays: Mapping[str, NDArray[Any]]) -> pandas.DataFrame:
    ends = arrays["marker_end"]
    if not np.isin(ends, (0, 1)).all():
        raise InputError(f"contains markers that are neither of the ends {' and '.join(ENDS)}")
    table = pandas.DataFrame({name: arrays[f"marker_{name}"] for name in (*MARKERS, *PLACES)})
    return table.assign(end=[ENDS[end] for end in ends])[["pendulum", "end", "frame", *PLACES]]


def _orbits(arrays: Mapping[str, NDArray[Any]], provenances: Sequence[Any]) -> list[Orbit]:
    numbers = arrays["sample_orbit"]
    if (np.diff(numbers) < 0).any() or set(numbers.tolist()) != set(range(len(provenances))):
        raise InputError(f"contains samples of other orbits than the {len(provenances)} that it declares")
    t, *columns = (torch.from_numpy(arrays[f"sample_{name}"]) for name in SAMPLES)
    values = torch.stack(columns, -1)
    return [
        Orbit(
            t[part].clone(),
            values[part, :2].clone(),
            values[part, 2:].clone(),
            coordinates=("theta", "omega"),
            provenance=provenance,
            periods={"theta": 2 * np.pi},
        )
        for k, provenance in enumerate(provenances)
        for part in [torch.from_numpy(numbers == k)]
    ]


def _report(told: object) -> Report:
    kinds = get_type_hints(Report)
    needed = {field.name for field in fields(Report) if field.default is MISSING}
    if not isinstance(told, dict) or not needed <= set(told) <= set(kinds):
        raise InputError("contains a report that does not have the entries of one pendulum's")
    for name, value in told.items():
        if isinstance(value, bool) or not isinstance(value, int if kinds[name] is int else int | float):
            raise InputError(f"contains a report whose {name} is {value!r:.80}, not a number")
    return Report(**told)
