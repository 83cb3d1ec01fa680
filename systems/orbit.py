"""Orbit: the states of a system or a forecast at given times."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import EllipsisType
from typing import Any, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.brief import Brief, brief
from systems.errors import InputError
from systems.floats import floats
from systems.from_csv import FromCsv
from systems.joined_orbits import concatenated, stacked
from systems.other_forms import OtherForms
from systems.periodic import check_periods
from systems.positions_only import PositionsOnly
from systems.states import check_times
from systems.units_of_data import check_units

Index: TypeAlias = int | slice | list[int] | Tensor | EllipsisType


@dataclass(frozen=True, eq=False)
class Orbit(Brief, OtherForms, FromCsv, PositionsOnly):
    """States at strictly increasing or strictly decreasing times.

    The orbits of a batch share their times, or have times of their own. NaN in a state means that this coordinate was not
    measured at this time. ``Orbit.of`` accepts data in other forms: runs of different lengths, pandas and xarray.

    An orbit is immutable. It is indexed like an array of shape ``(..., T)``: ``orbit[3]`` is the fourth of several orbits, and
    ``orbit[..., ::2]`` keeps every second time. The time axis accepts slices only.

    NumPy arrays and lists are copied; lists and arrays of whole numbers become float64. A tensor is not copied: it keeps its
    gradient and shares its memory with the orbit. Pass ``z.clone()`` if you change z later.

    Parameters
    ----------
    t : shape ``(T,)`` or ``(..., T)``
        Times, which must be finite: those of all orbits, or those of each.
    z : shape ``(..., T, D)``
        States. The leading axes number the orbits. NaN is a coordinate that was not measured, or a forecast that diverged.
    rate : shape ``(..., T, D)``, optional
        Time derivatives dz/dt, which are converted to the dtype of the states. None if they are not known.
    coordinates : sequence of str, optional
        Names of the D coordinates. Defaults to ``z0``, ``z1`` and so on.
    provenance : mapping, optional
        Origin of the orbit, as values that can be written as JSON. Empty by default.
    periods : mapping of str to float, optional
        Period of each coordinate that is an angle. States that differ by a period are equivalent. Empty by default.
    units : mapping of str to str, optional
        Unit of each coordinate, and that of the time under the name ``t``. Plots write them at their axes. Empty by default.

    Raises
    ------
    InputError
        If times are not sorted, if numbers are complex, boolean or text, if shapes or devices do not match, or if the names of
        the coordinates are not printable or not distinct.

    Examples
    --------
    >>> t = torch.linspace(0, 1, 5)
    >>> orbit = Orbit(t, torch.stack([t.cos(), -t.sin()], -1), coordinates=("q", "p"))
    >>> orbit[..., :2].z.shape
    torch.Size([2, 2])
    """

    t: Float[Tensor, "*times T"]
    z: Float[Tensor, "*batch T D"]
    rate: Float[Tensor, "*batch T D"] | None = None
    coordinates: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    periods: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        t, z = floats(self.t, "times"), floats(self.z, "states")
        check_times(t, z.shape[:-1])
        if z.ndim < 2 or z.shape[-2] != t.shape[-1]:
            n = t.shape[-1]
            raise InputError(f"states must have shape (..., {n}, D) for {n} times, not {tuple(z.shape)}")
        names = _names(self.coordinates, z.shape[-1])
        rate = None if self.rate is None else floats(self.rate, "rates", like=z)
        if rate is not None and rate.shape != z.shape:
            raise InputError(f"rates must have the shape of the states, {tuple(z.shape)}, not {tuple(rate.shape)}")
        if not isinstance(self.provenance, Mapping):
            raise InputError(f"provenance must be a mapping, such as a dictionary, not {type(self.provenance).__name__}")
        checked = {"t": t, "z": z, "rate": rate, "coordinates": names, "provenance": dict(self.provenance)}
        checked |= {"periods": check_periods(self.periods, names), "units": check_units(self.units, names)}
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> torch.Size:
        """Shape ``(..., T)``: the number of orbits along each batch axis, and the number of times."""
        return self.z.shape[:-1]

    @property
    def dim(self) -> int:
        """Dimension D of the states, which is the number of coordinates."""
        return self.z.shape[-1]

    @property
    def shared_times(self) -> bool:
        """Whether all orbits have the same list of times, so that ``t`` has the shape ``(T,)``."""
        return self.t.ndim == 1

    @property
    def common_times(self) -> Float[Tensor, " T"]:
        """The times of all orbits. Raises InputError if they have times of their own."""
        if not self.shared_times:
            raise InputError("these orbits have times of their own, but one list of times is needed; pass single orbits")
        return self.t

    @property
    def measured(self) -> Bool[Tensor, "*batch T D"]:
        """Which coordinates were measured at which time: where the states are not NaN."""
        return ~self.z.isnan()

    def separate(self) -> list[Orbit]:
        """Return each orbit by itself, without the times at which no coordinate was measured.

        Returns
        -------
        list of Orbit
            One orbit of shape ``(T,)`` for each of the batch, in order. Orbits without any measurement are left out.
        """
        orbits = []
        for i in range(self.z.shape[:-2].numel()):
            t = self.t if self.shared_times else self.t.flatten(0, -2)[i]
            z, rate = (None if x is None else x.reshape(-1, *x.shape[-2:])[i] for x in (self.z, self.rate))
            assert z is not None
            kept = ~z.isnan().all(-1)
            if kept.any():
                own = None if rate is None else rate[kept]
                orbits.append(replace(self, t=t[kept], z=z[kept], rate=own))
        return orbits

    def index(self, coordinate: int | str) -> int:
        """Return the index of a coordinate.

        Parameters
        ----------
        coordinate : int or str
            Index or name of the coordinate. Negative indices count from the end.

        Returns
        -------
        int
            Index from 0 to D - 1.

        Raises
        ------
        InputError
            If there is no such coordinate. The message lists the names.
        """
        if coordinate in self.coordinates:
            return self.coordinates.index(str(coordinate))
        if isinstance(coordinate, int) and -self.dim <= coordinate < self.dim:
            return coordinate % self.dim
        raise InputError(f"no coordinate {coordinate!r}; choose one of {', '.join(self.coordinates)}")

    def __len__(self) -> int:
        """Return the length of the first axis: the number of orbits, or the number of times of a single orbit."""
        return self.shape[0]

    def __iter__(self) -> Iterator[Orbit]:
        """Iterate over the orbits of a batch."""
        if len(self.shape) < 2:
            raise TypeError("a single orbit cannot be iterated over; iterate over its states, orbit.z")
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return self._headline()

    def _headline(self) -> str:
        count = " x ".join(map(str, self.shape[:-1]))
        many = f"{count} {'orbit' if count == '1' else 'orbits'} of " if count else ""
        span = f"t = {self.t.min():g} to {self.t.max():g}" if self.t.numel() else "no times"
        if self.shared_times:
            span = f"t = {self.t[0]:g} to {self.t[-1]:g}"
        return f"Orbit({', '.join(self.coordinates)}: {many}{self.shape[-1]} times, {span})"

    def _rows(self) -> dict[str, str]:
        """Return the range of the times and of each coordinate, for notebooks."""
        columns = {"t": self.t} | {name: self.z[..., i] for i, name in enumerate(self.coordinates)}
        return {
            f"{name} [{self.units[name]}]" if name in self.units else name: brief(values.reshape(-1))
            for name, values in columns.items()
        }

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Orbit:
        parts = index if isinstance(index, tuple) else (index,)
        axes = len(self.shape)
        given = sum(part is not Ellipsis for part in parts)
        if given > axes:
            raise IndexError(f"{given} indices are too many for an orbit of shape {tuple(self.shape)}")
        if Ellipsis not in [part for part in parts if not isinstance(part, (Tensor, list))]:
            parts = (*parts, ...)
        position = next(i for i, part in enumerate(parts) if part is Ellipsis)
        filled: tuple[Any, ...] = (*parts[:position], *[slice(None)] * (axes - given), *parts[position + 1 :])
        along_time = filled[-1]
        if not isinstance(along_time, slice):
            raise IndexError("the time axis of an orbit must be indexed by a slice; write orbit[..., i : i + 1] for one time")
        # torch does not support negative steps, but an orbit may be reversed in time
        kept = list(range(self.shape[-1]))[along_time]
        if not kept:
            raise IndexError(f"the slice {along_time} selects no time of the {self.shape[-1]} times of the orbit")

        def pick(values: Tensor) -> Tensor:
            return values[filled[:-1]][..., kept, :]

        t = self.t[kept] if self.shared_times else self.t[filled[:-1]][..., kept]
        return replace(self, t=t, z=pick(self.z), rate=None if self.rate is None else pick(self.rate))

    def to(self, *args: Any, **kwargs: Any) -> Orbit:
        """Convert the orbit to another device or floating-point type.

        Parameters
        ----------
        *args, **kwargs
            Arguments of ``torch.Tensor.to``.

        Returns
        -------
        Orbit
            The converted orbit.
        """
        return replace(
            self,
            t=self.t.to(*args, **kwargs),
            z=self.z.to(*args, **kwargs),
            rate=None if self.rate is None else self.rate.to(*args, **kwargs),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the orbit to a netCDF-4 file with a checksum, atomically.

        Parameters
        ----------
        path : path-like
            File to write. An existing file is replaced.

        Raises
        ------
        OSError
            If the file cannot be written. An existing file is then unchanged.
        """
        from systems import orbit_file

        orbit_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Orbit:
        """Read an orbit from a file that `save` wrote.

        Files of version 0.1.0, and those that xarray wrote from ``to_xarray``, have no checksum, so only their structure can
        be checked.

        Parameters
        ----------
        path : path-like
            File to read.

        Returns
        -------
        Orbit
            The orbit, on the CPU.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        InputError
            If the file does not contain an orbit, was changed, or refers to other files.
        """
        from systems import orbit_file

        content = orbit_file.read(path)
        try:
            return cls(**content)
        except InputError as error:
            raise InputError(f"{path} does not contain an orbit: {error}") from error

    @staticmethod
    def stack(orbits: Sequence[Orbit]) -> Orbit:
        """Stack orbits with equal numbers of times into a batch, along a new first axis.

        Parameters
        ----------
        orbits : sequence of Orbit
            Orbits with the same shape and coordinates. Use ``Orbit.of`` for runs of different lengths.

        Returns
        -------
        Orbit
            The batch, with the provenance of the first orbit. It has rates if all orbits have rates, and times of its own for
            each orbit unless all times are equal.

        Raises
        ------
        InputError
            If there are no orbits, or if the orbits do not match.
        """
        return stacked(orbits)

    @staticmethod
    def concatenate(orbits: Sequence[Orbit]) -> Orbit:
        """Concatenate orbits along the time axis.

        Parameters
        ----------
        orbits : sequence of Orbit
            Consecutive orbits with the same batch shape and coordinates.

        Returns
        -------
        Orbit
            The whole orbit, with the provenance of the first part. It has rates if all parts have rates.

        Raises
        ------
        InputError
            If there are no orbits, if the orbits do not match, or if the times are not sorted.
        """
        return concatenated(orbits)


def _names(coordinates: Sequence[str], dim: int) -> tuple[str, ...]:
    """Validate the names of the coordinates, which are numbered by default."""
    names = tuple(coordinates) or tuple(f"z{i}" for i in range(dim))
    if len(names) != dim:
        raise InputError(f"{len(names)} coordinate names {names} do not fit states of dimension {dim}; name each coordinate")
    if not all(isinstance(name, str) and name and name.isprintable() for name in names):
        raise InputError(f"names of coordinates must be printable text, not {names!r}")
    if len(set(names)) < dim:
        raise InputError(f"every coordinate needs a name of its own, but the names are {', '.join(names)}")
    return names
