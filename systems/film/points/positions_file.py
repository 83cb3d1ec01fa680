"""Reading and writing of the places of markers as netCDF-4 files. A strict schema rejects every other file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray

from systems import netcdf_file
from systems.errors import InputError
from systems.film.points.axes import Axes, axes_of
from systems.json_ready import json_ready
from systems.netcdf_file import NetCDF
from systems.sealed_file import Form

if TYPE_CHECKING:
    from systems.film.points.positions import Positions

PLACES = ("x", "y", "errors", "quality")
FORM = Form(
    content="places of markers",
    format="physlearn-positions-1",
    whole=("frame",),
    floats=("time", *PLACES),
    texts=("format", "axes", "provenance"),
    dimensions=re.compile("marker"),
)


def dataset(positions: Positions) -> xarray.Dataset:
    """Return the places over (marker, time); see `Positions.to_xarray`."""
    variables = {name: (("marker", "time"), getattr(positions, name).copy()) for name in PLACES}
    return xarray.Dataset(
        {**variables, "frame": ("time", positions.frames.copy())},
        coords={"time": positions.t.copy()},
        attrs={
            "format": FORM.format,
            "axes": json.dumps(asdict(positions.axes)),
            "provenance": json.dumps(json_ready(positions.provenance)),
        },
    )


def save(positions: Positions, path: str | os.PathLike[str]) -> None:
    """Write places with a checksum of their content, atomically."""
    FORM.write(dataset(positions), path)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the arguments with which to create the Positions in a file.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If `save` did not write the file in this form: if it is truncated, changed, of another kind, or refers to other files.
    """
    with netcdf_file.opened(path, "file of places") as file:
        return _content(file)


def _content(file: NetCDF) -> dict[str, Any]:
    texts, arrays = FORM.read(file)
    count = len(arrays["time"])
    if arrays["time"].shape != (count,) or arrays["frame"].shape != (count,) or not (np.diff(arrays["time"]) > 0).all():
        raise InputError("stores times that do not increase, or not one for each frame")
    if arrays["x"].ndim != 2 or any(arrays[name].shape != (len(arrays["x"]), count) for name in PLACES):
        raise InputError(f"stores places in other shapes than one row per marker and {count} times")
    return {
        "t": arrays["time"],
        "frames": arrays["frame"],
        **{name: arrays[name] for name in PLACES},
        "axes": _axes(netcdf_file.mapping(texts["axes"], "axes")),
        "provenance": netcdf_file.mapping(texts["provenance"], "provenance"),
    }


def _axes(told: Mapping[str, Any]) -> Axes:
    if set(told) != {field.name for field in fields(Axes)} or told["unit"] not in ("px", "m"):
        raise InputError("contains axes without a scale, an origin, an angle, and a unit of pixels or metres")
    known = axes_of(told["scale"], told["origin"], told["angle"], told["y_up"])
    error = axes_of(told["scale_error"] or 1.0, None, 0.0, None).scale if told["scale_error"] else 0.0
    return Axes(known.scale, error, known.origin, known.angle, known.y_up, told["unit"])
