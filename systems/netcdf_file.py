"""Checked reading, and writing, of netCDF-4 files: whatever `write` did not write is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO

import h5netcdf
import h5py
import numpy as np
import xarray
from numpy.typing import NDArray
from xarray.backends import H5NetCDFStore

from systems.atomic import atomically
from systems.errors import InputError

ATTRIBUTES = {  # written by h5netcdf, or by earlier versions of `Orbit.save`
    *("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_FillValue"),
    "coordinates",  # the name of the times, if these have several dimensions
    "units",  # of the times, as in the CF conventions
}
FLOATS = (h5py.h5t.IEEE_F64LE, h5py.h5t.IEEE_F32LE, h5py.h5t.IEEE_F64BE, h5py.h5t.IEEE_F32BE)
WHOLE = (h5py.h5t.STD_I64LE, h5py.h5t.STD_I64BE)


def write(data: xarray.Dataset, path: str | os.PathLike[str]) -> None:
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


@contextmanager
def opened(path: str | os.PathLike[str], what: str) -> Iterator[NetCDF]:
    """Open a file that contains ``what``, such as an orbit. No other file is opened.

    Inside the block, an InputError gets the path in front, and any other error becomes an InputError.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If the file is truncated, changed, or of another kind.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"the {what} file {path} does not exist")
    try:
        # with a file object, HDF5 cannot open other files on its own
        with open(path, "rb") as file:
            _check_heaps(file)
            with h5py.File(file, "r") as content:
                yield NetCDF(content.id, os.fstat(file.fileno()).st_size, what)
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


@dataclass(frozen=True)
class NetCDF:
    """An open file of ``size`` bytes. Reading never allocates more memory than the file has bytes."""

    file: h5py.h5f.FileID
    size: int
    what: str

    def variables(
        self, known: Collection[str], dimensions: re.Pattern[str], needed: set[str]
    ) -> dict[str, h5py.h5d.DatasetID]:
        """Open the variables. Raises InputError if the file contains other variables or links to other places.

        The pattern ``dimensions`` matches the names of dimensions without coordinate variables.
        """
        root = h5py.h5g.open(self.file, b"/")
        if root.get_num_objs() > len(known) + 64:
            raise InputError(f"contains more variables than {self.an} has")
        found = {}
        for name in list(root):
            label = name.decode(errors="replace")
            if label not in known and not dimensions.fullmatch(label):
                raise InputError(f"contains {label!r:.80}, which is not part of {self.an}")
            if root.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                raise InputError(f"stores {label} as a link, which is not followed; store the values in the file")
            if label in known:
                found[label] = h5py.h5d.open(root, name)
        if missing := needed - set(found):
            raise InputError(f"has no variable {min(missing)}")
        return found

    def numbers(self, variable: h5py.h5d.DatasetID, name: str, *, whole: bool = False) -> NDArray[Any]:
        """Return the values of a variable of floating-point numbers, or of whole numbers."""
        kind = variable.get_type()
        if not any(kind.equal(known) for known in (WHOLE if whole else FLOATS)):
            raise InputError(f"stores {name} in a type other than {'int64' if whole else 'float32 and float64'}")
        values = np.zeros(self._shape(variable, name), f"{'i' if whole else 'f'}{kind.get_size()}")
        if values.size:
            variable.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
        return values

    def names(self, variable: h5py.h5d.DatasetID, what: str) -> tuple[str, ...]:
        """Return the values of a variable of strings."""
        kind = variable.get_type()
        shape = self._shape(variable, what)
        if not isinstance(kind, h5py.h5t.TypeStringID) or len(shape) != 1:
            raise InputError(f"does not store the names of {what} as a list of strings")
        return tuple(h5py.Dataset(variable).asstr()[:].tolist()) if shape[0] else ()

    def text(self, name: str, variable: h5py.h5d.DatasetID | None = None) -> str | None:
        """Return the text of an attribute of the file or of a variable, or None if there is no such attribute."""
        owner = h5py.h5g.open(self.file, b"/") if variable is None else variable
        if not h5py.h5a.exists(owner, name.encode()):
            return None
        attribute = h5py.h5a.open(owner, name.encode())
        kind = attribute.get_type()
        if attribute.shape not in ((), (1,)) or not isinstance(kind, h5py.h5t.TypeStringID) or kind.get_size() > self.size:
            raise InputError(f"does not store text in its attribute {name}")
        value = h5py.AttributeManager(h5py.Group(owner) if variable is None else h5py.Dataset(owner))[name]
        value = value[0] if isinstance(value, np.ndarray) else value
        return value.decode() if isinstance(value, bytes) else str(value)

    @property
    def an(self) -> str:
        """The name of the content with its article."""
        return f"{'an' if self.what[0] in 'aeiou' else 'a'} {self.what}"

    def _shape(self, variable: h5py.h5d.DatasetID, name: str) -> tuple[int, ...]:
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
                raise InputError(f"gives {name} the attribute {label!r:.80}, which is not part of {self.an}")
        shape = variable.shape
        claimed = int(np.prod(shape, dtype=object)) * variable.get_type().get_size()
        if not claimed:
            return shape
        start = variable.get_offset() if layout == h5py.h5d.CONTIGUOUS else None
        if start is None or start + claimed > self.size:
            raise InputError(f"declares {claimed} bytes of {name}, but contains no contiguous block of this size")
        return shape


def mapping(text: str | None, name: str) -> dict[str, Any]:
    """Return the mapping in the JSON text of an attribute, which is empty if the attribute is missing."""
    value = json.loads(text or "{}")
    if not isinstance(value, dict):
        raise InputError(f"stores {name} in a form that is not a mapping of names")
    return value


def listing(text: str | None, name: str) -> list[Any]:
    """Return the list in the JSON text of an attribute."""
    value = json.loads(text or "null")
    if not isinstance(value, list):
        raise InputError(f"stores {name} in a form that is not a list")
    return value


def checksum(told: object, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays, and of whatever else is told, as JSON."""
    digest = hashlib.sha256(json.dumps(told).encode())
    for name in sorted(arrays):
        values = arrays[name].astype(arrays[name].dtype.newbyteorder("<"), order="C", copy=False)
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _filling(attribute: h5py.h5a.AttrID) -> float:
    value = np.zeros(1)
    if attribute.shape not in ((), (1,)) or not isinstance(attribute.get_type(), h5py.h5t.TypeFloatID):
        return 0.0
    attribute.read(value.reshape(attribute.shape))
    return float(value[0])
