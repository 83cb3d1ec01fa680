"""Reading and writing of orbits as netCDF-4 files. A strict schema rejects every file that does not contain an orbit."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
import xarray
from numpy.typing import NDArray
from torch import Tensor

from systems import netcdf_file
from systems.errors import InputError
from systems.floats import HALF
from systems.netcdf_file import NetCDF
from systems.orbit_attributes import FORMAT, SEALED, attributes_of

WIDENED = ("float16", "bfloat16")  # netCDF has neither type; float32 represents both exactly
VARIABLES = ("time", "z", "rate", "coordinate")
BATCH = re.compile(r"orbit(_\d+)?|sample")  # dimensions without coordinate variables


class Content(Protocol):
    """The parts of an orbit that a file stores."""

    @property
    def t(self) -> Tensor:
        """Times, shape ``(T,)`` or ``(..., T)``."""

    @property
    def z(self) -> Tensor:
        """States, shape ``(..., T, D)``."""

    @property
    def rate(self) -> Tensor | None:
        """dz/dt, of the shape of the states, or None."""

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates."""

    @property
    def periods(self) -> Mapping[str, float]:
        """Period of each coordinate that is an angle, by name."""

    @property
    def units(self) -> Mapping[str, str]:
        """Units of coordinates and of the time, by name."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the orbit comes from."""


def dataset(orbit: Content) -> xarray.Dataset:
    """Return the orbit as an xarray Dataset that shares its memory; see `Orbit.to_xarray`."""
    batch = orbit.z.shape[:-2]
    names = ["orbit"] if len(batch) == 1 else [f"orbit_{i}" for i in range(len(batch))]
    shared = orbit.t.ndim == 1
    dims = (*names, "time" if shared else "sample", "coordinate")
    variables = {"z": (dims, array(orbit.z))}
    if orbit.rate is not None:
        variables["rate"] = (dims, array(orbit.rate))
    attributes = attributes_of(orbit)
    if widened := {name: dtype for name, dtype in _dtypes(orbit).items() if dtype in WIDENED}:
        attributes["dtypes"] = json.dumps(widened)
    if orbit.units:
        attributes["units"] = json.dumps(orbit.units)
    time = ("time" if shared else dims[:-1], array(orbit.t), {"units": orbit.units["t"]} if "t" in orbit.units else {})
    return xarray.Dataset(variables, coords={"time": time, "coordinate": np.array(orbit.coordinates, "U")}, attrs=attributes)


def save(orbit: Content, path: str | os.PathLike[str]) -> None:
    """Write an orbit to a netCDF-4 file with a checksum of its content, atomically."""
    data = dataset(orbit)
    data.attrs["format"] = SEALED
    data.attrs["sha256"] = _checksum(
        {str(name): data[name].values for name in ("time", "z", "rate") if name in data}, orbit.coordinates, data.attrs
    )
    netcdf_file.write(data, path)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the arguments with which to create the Orbit in a file.

    No other file is opened, and no more memory is allocated than the file has bytes.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If `save` did not write the file in this form: if it is truncated, changed, of another kind, or refers to other files.
    """
    with netcdf_file.opened(path, "orbit") as file:
        return _content(file)


def _content(file: NetCDF) -> dict[str, Any]:
    texts = {name: file.text(name) for name in ("format", "provenance", "periods", "dtypes", "units", "sha256")}
    if texts["format"] not in (FORMAT, SEALED):
        raise InputError(f"contains no orbit, because its format is {texts['format']!r:.80}, not {SEALED!r}")
    if texts["format"] == SEALED and texts["sha256"] is None:
        raise InputError("was changed after it was written, because it has no checksum; use an unchanged copy")
    variables = file.variables(VARIABLES, BATCH, {"time", "z", "coordinate"})
    arrays: dict[str, NDArray[Any]] = {
        name: file.numbers(variables[name], name) for name in ("time", "z", "rate") if name in variables
    }
    names = file.names(variables["coordinate"], "the coordinates")
    attributes = {name: text for name, text in texts.items() if text is not None}
    if texts["sha256"] is not None and texts["sha256"] != _checksum(arrays, names, attributes):
        raise InputError("was changed after it was written, because its checksum does not match; use an unchanged copy")
    provenance, periods, dtypes, units = (
        netcdf_file.mapping(texts[name], name) for name in ("provenance", "periods", "dtypes", "units")
    )
    if (unit := file.text("units", variables["time"])) is not None and unit != units.get("t"):
        raise InputError(f"gives time the attribute 'units' {unit!r:.40}, but its unit is {units.get('t')!r:.40}")
    if set(dtypes) - set(arrays) or not all(dtype in WIDENED for dtype in dtypes.values()):
        raise InputError("declares types of numbers that physlearn does not write")
    tensors = {name: torch.from_numpy(values).to(_dtype(dtypes.get(name))) for name, values in arrays.items()}
    return {
        "t": tensors["time"],
        "z": tensors["z"],
        "rate": tensors.get("rate"),
        "coordinates": names,
        "provenance": provenance,
        "periods": periods,
        "units": units,
    }


def _checksum(arrays: Mapping[str, NDArray[Any]], coordinates: tuple[str, ...], attributes: Mapping[str, str]) -> str:
    """Return the SHA-256 of all parts of an orbit."""
    told = {name: attributes.get(name) for name in ("format", "provenance", "periods", "dtypes")}
    if "units" in attributes:  # files of earlier versions have none
        told["units"] = attributes["units"]
    return netcdf_file.checksum([told, list(coordinates)], arrays)


def _dtypes(orbit: Content) -> dict[str, str]:
    parts = {"time": orbit.t, "z": orbit.z, "rate": orbit.rate}
    return {name: str(values.dtype).removeprefix("torch.") for name, values in parts.items() if values is not None}


def _dtype(name: str | None) -> torch.dtype | None:
    return None if name is None else getattr(torch, name)


def array(values: Tensor) -> NDArray[Any]:
    """Return the values of a tensor, which share its memory if possible; half precision becomes float32."""
    values = values.detach().cpu()
    return (values.float() if values.dtype in HALF else values).numpy()
