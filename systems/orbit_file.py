"""Reading and writing of orbits as netCDF-4 files. A strict schema rejects every file that does not contain an orbit."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import h5netcdf
import h5py
import numpy as np
import torch
import xarray
from numpy.typing import NDArray
from torch import Tensor
from xarray.backends import H5NetCDFStore

from systems.atomic import atomically
from systems.errors import InputError
from systems.json_ready import json_ready

FORMAT = "physlearn-orbit-1"
WIDENED = ("float16", "bfloat16")  # netCDF has neither type; float32 represents both exactly
VARIABLES = ("time", "z", "rate", "coordinate")
BATCH = re.compile(r"orbit(_\d+)?")  # dimensions without coordinate variables
ATTRIBUTES = {  # written by h5netcdf, or by earlier versions of `save`
    *("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_FillValue"),
}
FLOATS = (h5py.h5t.IEEE_F64LE, h5py.h5t.IEEE_F32LE, h5py.h5t.IEEE_F64BE, h5py.h5t.IEEE_F32BE)


class Content(Protocol):
    """The parts of an orbit that a file stores."""

    @property
    def t(self) -> Tensor:
        """Times, shape ``(T,)``."""

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
    def provenance(self) -> Mapping[str, Any]:
        """Where the orbit comes from."""


def dataset(orbit: Content) -> xarray.Dataset:
    """Return the orbit as an xarray Dataset that shares its memory; see `Orbit.to_xarray`."""
    batch = orbit.z.shape[:-2]
    names = ["orbit"] if len(batch) == 1 else [f"orbit_{i}" for i in range(len(batch))]
    dims = (*names, "time", "coordinate")
    variables = {"z": (dims, _array(orbit.z))}
    if orbit.rate is not None:
        variables["rate"] = (dims, _array(orbit.rate))
    attributes = {
        "format": FORMAT,
        "provenance": json.dumps(json_ready(orbit.provenance)),
        "periods": json.dumps(orbit.periods),
    }
    if widened := {name: dtype for name, dtype in _dtypes(orbit).items() if dtype in WIDENED}:
        attributes["dtypes"] = json.dumps(widened)
    return xarray.Dataset(
        variables, coords={"time": _array(orbit.t), "coordinate": np.array(orbit.coordinates, "U")}, attrs=attributes
    )


def save(orbit: Content, path: str | os.PathLike[str]) -> None:
    """Write an orbit to a netCDF-4 file with a checksum of its content, atomically."""
    data = dataset(orbit)
    data.attrs["sha256"] = _checksum(
        {str(name): data[name].values for name in ("time", "z", "rate") if name in data}, orbit.coordinates, data.attrs
    )
    write_netcdf(data, path)


def write_netcdf(data: xarray.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a Dataset as a netCDF-4 file, atomically.

    The file is first built in memory, because HDF5 crashes, sometimes much later, if it cannot close a file on a full disk.
    """
    for variable in data.variables.values():
        variable.encoding["_FillValue"] = None  # NaN is a value here, not a missing value
    memory = io.BytesIO()
    with h5netcdf.File(memory, "w") as file:
        data.dump_to_store(H5NetCDFStore(file))
    with atomically(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


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
    if not Path(path).is_file():
        raise FileNotFoundError(f"the orbit file {path} does not exist")
    try:
        # with a file object, HDF5 cannot open other files on its own
        with open(path, "rb") as opened:
            _check_heaps(opened)
            with h5py.File(opened, "r") as file:
                return _content(file.id, os.fstat(opened.fileno()).st_size)
    except InputError as error:
        raise InputError(f"{path} {error}") from error
    except Exception as error:  # h5py raises many kinds of errors for a foreign or truncated file
        raise InputError(f"{path} is not a whole netCDF file ({type(error).__name__}); write it again") from error


def _check_heaps(opened: BinaryIO) -> None:
    """Raise InputError if HDF5 would loop forever in a global heap of strings, because its objects do not fill the heap.

    References
    ----------
    HDF5 File Format Specification, III.E, global heap.
    """
    with mmap(opened.fileno(), 0, access=ACCESS_READ) as held:
        start, steps = -1, len(held) // 16  # no more objects fit, unless heaps overlap
        while (start := held.find(b"GCOL\1", start + 1)) >= 0:
            place, end = start + 16, start + int.from_bytes(held[start + 8 : start + 16], "little")
            while place + 16 <= end <= len(held):
                index, size = (int.from_bytes(held[place + a : place + b], "little") for a, b in ((0, 2), (8, 16)))
                needed = 16 + (size + 7) // 8 * 8 if index else size
                steps -= 1
                if needed < 16 or place + needed > end or steps < 0:
                    raise InputError("is not a whole netCDF file, because its text is damaged; write it again")
                place += needed


def _content(file: h5py.h5f.FileID, size: int) -> dict[str, Any]:
    texts = {name: _text(file, name, size) for name in ("format", "provenance", "periods", "dtypes", "sha256")}
    if texts["format"] != FORMAT:
        raise InputError(f"contains no orbit, because its format is {texts['format']!r:.80}, not {FORMAT!r}")
    variables = _variables(file)
    arrays: dict[str, NDArray[Any]] = {
        name: _numbers(variables[name], name, size) for name in ("time", "z", "rate") if name in variables
    }
    names = _names(variables["coordinate"], size)
    # files of earlier versions have no checksum
    attributes = {name: text for name, text in texts.items() if text is not None}
    if texts["sha256"] is not None and texts["sha256"] != _checksum(arrays, names, attributes):
        raise InputError("was changed after it was written, because its checksum does not match; use an unchanged copy")
    provenance, periods, dtypes = (_mapping(texts[name], name) for name in ("provenance", "periods", "dtypes"))
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
    }


def _variables(file: h5py.h5f.FileID) -> dict[str, h5py.h5d.DatasetID]:
    """Open the variables of an orbit. Raises InputError if the file contains other variables or links to other places."""
    root = h5py.h5g.open(file, b"/")
    if root.get_num_objs() > len(VARIABLES) + 64:
        raise InputError("contains more variables than an orbit has")
    found = {}
    for name in list(root):
        label = name.decode(errors="replace")
        if label not in VARIABLES and not BATCH.fullmatch(label):
            raise InputError(f"contains {label!r:.80}, which is not part of an orbit")
        if root.links.get_info(name).type != h5py.h5l.TYPE_HARD:
            raise InputError(f"stores {label} as a link, which is not followed; store the values in the file")
        if label in VARIABLES:
            found[label] = h5py.h5d.open(root, name)
    if missing := {"time", "z", "coordinate"} - set(found):
        raise InputError(f"has no variable {min(missing)}")
    return found


def _shape(variable: h5py.h5d.DatasetID, name: str, size: int) -> tuple[int, ...]:
    """Return the shape of a variable. Raises InputError unless its values are contiguous in the file and not filtered."""
    created = variable.get_create_plist()
    layout = created.get_layout()
    if created.get_external_count() or layout == h5py.h5d.VIRTUAL:
        raise InputError(f"stores {name} in another file, which is not read; store the values in the file")
    if created.get_nfilters():
        raise InputError(f"stores {name} compressed or filtered, which is not supported; write it without filters")
    for index in range(h5py.h5a.get_num_attrs(variable)):
        attribute = h5py.h5a.open(variable, index=index)
        label = attribute.name.decode(errors="replace")
        if label not in ATTRIBUTES or (label == "_FillValue" and not np.isnan(_filling(attribute))):
            raise InputError(f"gives {name} the attribute {label!r:.80}, which is not part of an orbit")
    shape = variable.shape
    claimed = int(np.prod(shape, dtype=object)) * variable.get_type().get_size()
    if not claimed:
        return shape
    start = variable.get_offset() if layout == h5py.h5d.CONTIGUOUS else None
    if start is None or start + claimed > size:
        raise InputError(f"declares {claimed} bytes of {name}, but contains no contiguous block of this size")
    return shape


def _filling(attribute: h5py.h5a.AttrID) -> float:
    value = np.zeros(1)
    if attribute.shape not in ((), (1,)) or not isinstance(attribute.get_type(), h5py.h5t.TypeFloatID):
        return 0.0
    attribute.read(value.reshape(attribute.shape))
    return float(value[0])


def _numbers(variable: h5py.h5d.DatasetID, name: str, size: int) -> NDArray[np.floating]:
    kind = variable.get_type()
    if not any(kind.equal(known) for known in FLOATS):
        raise InputError(f"stores {name} in a type other than float32 and float64")
    values = np.zeros(_shape(variable, name, size), f"f{kind.get_size()}")
    if values.size:
        variable.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    return values


def _names(variable: h5py.h5d.DatasetID, size: int) -> tuple[str, ...]:
    kind = variable.get_type()
    shape = _shape(variable, "coordinate", size)
    if not isinstance(kind, h5py.h5t.TypeStringID) or len(shape) != 1:
        raise InputError("does not store the names of the coordinates as a list of strings")
    return tuple(h5py.Dataset(variable).asstr()[:].tolist()) if shape[0] else ()


def _text(file: h5py.h5f.FileID, name: str, size: int) -> str | None:
    root = h5py.h5g.open(file, b"/")
    if not h5py.h5a.exists(root, name.encode()):
        return None
    attribute = h5py.h5a.open(root, name.encode())
    kind = attribute.get_type()
    if attribute.shape not in ((), (1,)) or not isinstance(kind, h5py.h5t.TypeStringID) or kind.get_size() > size:
        raise InputError(f"does not store text in its attribute {name}")
    value = h5py.AttributeManager(h5py.Group(root))[name]
    value = value[0] if isinstance(value, np.ndarray) else value
    return value.decode() if isinstance(value, bytes) else str(value)


def _mapping(text: str | None, name: str) -> dict[str, Any]:
    value = json.loads(text or "{}")
    if not isinstance(value, dict):
        raise InputError(f"stores {name} in a form that is not a mapping of names")
    return value


def _checksum(arrays: Mapping[str, NDArray[Any]], coordinates: tuple[str, ...], attributes: Mapping[str, str]) -> str:
    """Return the SHA-256 of all parts of an orbit."""
    told = {name: attributes.get(name) for name in ("format", "provenance", "periods", "dtypes")}
    digest = hashlib.sha256(json.dumps([told, list(coordinates)]).encode())
    for name in sorted(arrays):
        values = arrays[name].astype(arrays[name].dtype.newbyteorder("<"), order="C", copy=False)
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _dtypes(orbit: Content) -> dict[str, str]:
    parts = {"time": orbit.t, "z": orbit.z, "rate": orbit.rate}
    return {name: str(values.dtype).removeprefix("torch.") for name, values in parts.items() if values is not None}


def _dtype(name: str | None) -> torch.dtype | None:
    return None if name is None else getattr(torch, name)


def _array(values: Tensor) -> NDArray[Any]:
    values = values.detach().cpu()
    return (values.float() if values.dtype in (torch.float16, torch.bfloat16) else values).numpy()
