"""NetCDF files of one fixed form, with a checksum of everything in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray
from numpy.typing import NDArray

from systems import netcdf_file
from systems.errors import InputError
from systems.netcdf_file import NetCDF


@dataclass(frozen=True)
class Form:
    """The form of a file: its format, and the names of all that it contains.

    Parameters
    ----------
    content
        What the file contains, such as ``"tracked film"``.
    format
        The format, which the attribute ``format`` names.
    whole, floats
        Names of the variables of whole and of floating-point numbers, all of which are there.
    texts
        Names of the attributes, all of them texts.
    dimensions
        Matches the names of dimensions without coordinate variables.
    """

    content: str
    format: str
    whole: tuple[str, ...]
    floats: tuple[str, ...]
    texts: tuple[str, ...]
    dimensions: re.Pattern[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all variables."""
        return (*self.whole, *self.floats)

    def write(self, data: xarray.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a Dataset of this form with a checksum, atomically."""
        data.attrs["sha256"] = self.checksum(data.attrs, {name: data[name].to_numpy() for name in self.names})
        netcdf_file.write(data, path)

    def read(self, file: NetCDF) -> tuple[dict[str, str | None], dict[str, NDArray[Any]]]:
        """Return the texts and the arrays of an open file. Raises InputError unless `write` wrote it."""
        texts = {name: file.text(name) for name in (*self.texts, "sha256")}
        if texts["format"] != self.format:
            raise InputError(f"contains no {self.content}, because its format is {texts['format']!r:.80}, not {self.format!r}")
        variables = file.variables(self.names, self.dimensions, set(self.names))
        arrays = {name: file.numbers(variables[name], name, whole=name in self.whole) for name in self.names}
        if texts["sha256"] != self.checksum(texts, arrays):
            raise InputError("was changed after it was written, because its checksum does not match; use an unchanged copy")
        return texts, arrays

    def checksum(self, attributes: Mapping[str, str | None], arrays: Mapping[str, NDArray[Any]]) -> str:
        """Return the SHA-256 of the texts and the arrays."""
        return netcdf_file.checksum({name: attributes.get(name) for name in self.texts}, arrays)
