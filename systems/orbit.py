"""Orbit: the states of a system, or of a forecast, at a list of times."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.floats import floats
from systems.periodic import agreed_periods, check_periods

if TYPE_CHECKING:
    import xarray

Index: TypeAlias = int | slice | list[int] | Tensor | EllipsisType


@dataclass(frozen=True, eq=False)
class Orbit:
    """States at strictly increasing or strictly decreasing times; immutable.

    t: ``(T,)`` times. z: ``(..., T, D)`` states, the leading axes counting orbits. rate: ``(..., T, D)`` dz/dt, or None
    where it is not known. coordinates: the D names. provenance: where the orbit comes from, as JSON-ready values.
    periods: the period of each coordinate that is an angle, by name; states a period apart are the same.
    States may be infinite or NaN (a forecast that diverged keeps what it did); times may not.
    NumPy arrays and lists are copied, lists and whole numbers as float64; a tensor is kept as it is, with its gradient, and
    shares its memory: give ``z.clone()`` if you edit z later. Rates take the dtype of the states.

    An orbit indexes like an array of shape ``(..., T)``: ``orbit[3]`` is the fourth of many orbits, ``orbit[..., ::2]`` every
    second time, and the time axis itself is only ever sliced.

    Raises InputError for times that are not sorted, numbers that are complex, boolean or text, shapes and devices that do not
    belong together, and coordinates that are not different printable names.

    >>> t = torch.linspace(0, 1, 5)
    >>> orbit = Orbit(t, torch.stack([t.cos(), -t.sin()], -1), coordinates=("q", "p"))
    >>> orbit[..., :2].z.shape
    torch.Size([2, 2])
    """

    t: Float[Tensor, " T"]
    z: Float[Tensor, "*batch T D"]
    rate: Float[Tensor, "*batch T D"] | None = None
    coordinates: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    periods: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        t, z = floats(self.t, "times"), floats(self.z, "states")
        check_times(t)
        if z.ndim < 2 or z.shape[-2] != len(t):
            raise InputError(f"states must have shape (..., {len(t)}, D) to go with {len(t)} times, not {tuple(z.shape)}")
        names = _names(self.coordinates, z.shape[-1])
        rate = None if self.rate is None else floats(self.rate, "rates", like=z)
        if rate is not None and rate.shape != z.shape:
            raise InputError(f"rates of shape {tuple(rate.shape)} for states of shape {tuple(z.shape)}")
        if not isinstance(self.provenance, Mapping):
            raise InputError(f"provenance must be a mapping, such as a dictionary, not {type(self.provenance).__name__}")
        checked = {"t": t, "z": z, "rate": rate, "coordinates": names, "provenance": dict(self.provenance)}
        for name, value in (checked | {"periods": check_periods(self.periods, names)}).items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> torch.Size:
        """``(..., T)``: how many orbits, and how many times."""
        return self.z.shape[:-1]

    @property
    def dim(self) -> int:
        """D, the number of coordinates."""
        return self.z.shape[-1]

    def index(self, coordinate: int | str) -> int:
        """The index of a coordinate given by name or index. Raises InputError, listing the names, for any other."""
        if coordinate in self.coordinates:
            return self.coordinates.index(str(coordinate))
        if isinstance(coordinate, int) and -self.dim <= coordinate < self.dim:
            return coordinate % self.dim
        raise InputError(f"no coordinate {coordinate!r}; there are {', '.join(self.coordinates)}")

    def __len__(self) -> int:
        """The length of the first axis: the number of orbits, or of times where there is one orbit."""
        return self.shape[0]

    def __iter__(self) -> Iterator[Orbit]:
        """The orbits of a batch, one by one."""
        if len(self.shape) < 2:
            raise TypeError("this is a single orbit: there is nothing to loop over but its states, orbit.z")
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        many = " x ".join(map(str, self.shape[:-1])) + " orbits of " if len(self.shape) > 1 else ""
        span = f"t = {self.t[0]:g} to {self.t[-1]:g}"
        return f"Orbit({', '.join(self.coordinates)}: {many}{self.shape[-1]} times, {span})"

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Orbit:
        parts = index if isinstance(index, tuple) else (index,)
        axes = len(self.shape)
        given = sum(part is not Ellipsis for part in parts)
        if given > axes:
            raise IndexError(f"{given} indices for an orbit of shape {tuple(self.shape)}")
        if Ellipsis not in [part for part in parts if not isinstance(part, (Tensor, list))]:
            parts = (*parts, ...)
        position = next(i for i, part in enumerate(parts) if part is Ellipsis)
        filled: tuple[Any, ...] = (*parts[:position], *[slice(None)] * (axes - given), *parts[position + 1 :])
        along_time = filled[-1]
        if not isinstance(along_time, slice):
            raise IndexError("the time axis of an orbit takes a slice: write orbit[..., i : i + 1] for one time")
        # torch takes no negative steps, and reversed times are a legitimate orbit
        kept = torch.arange(len(self.t), device=self.t.device).tolist()[along_time]
        if not kept:
            raise IndexError(f"no time of {len(self.t)} is left by the slice {along_time}")

        def pick(values: Tensor) -> Tensor:
            return values[filled[:-1]][..., kept, :]

        return replace(self, t=self.t[kept], z=pick(self.z), rate=None if self.rate is None else pick(self.rate))

    def to(self, *args: Any, **kwargs: Any) -> Orbit:
        """The same orbit on another device or in another floating-point type; arguments as for ``Tensor.to``."""
        return replace(
            self,
            t=self.t.to(*args, **kwargs),
            z=self.z.to(*args, **kwargs),
            rate=None if self.rate is None else self.rate.to(*args, **kwargs),
        )

    def to_xarray(self) -> xarray.Dataset:
        """Variables ``z`` and, where known, ``rate``, over (orbit, time, coordinate) with labels; a copy.

        A batch of several axes has the dimensions ``orbit_0``, ``orbit_1``, ... Half precision becomes float32, which netCDF
        can hold.
        """
        from systems import orbit_file  # xarray and HDF5 are loaded when they are first used

        return orbit_file.dataset(self).copy(deep=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a netCDF-4 file with a checksum of its content, whole or not at all.

        Raises OSError where the file cannot be written; what was there stays.
        """
        from systems import orbit_file

        orbit_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Orbit:
        """Return the orbit that ``save`` wrote.

        Files of versions that wrote no checksum are read too; only their structure can be checked.

        Raises FileNotFoundError, or InputError for a file that holds no orbit, was changed, or refers to other files.
        """
        from systems import orbit_file

        content = orbit_file.read(path)
        try:
            return cls(**content)
        except InputError as error:
            raise InputError(f"{path} does not hold an orbit: {error}") from error

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        columns: Sequence[str] | None = None,
        *,
        time: str = "t",
        coordinates: str | Sequence[str] | None = None,
        angle: str | None = None,
        velocity: str | Sequence[str] | None = None,
        acceleration: str | Sequence[str] | None = None,
        periods: Mapping[str, float] | None = None,
        rates: Literal["file", "derived"] = "file",
        window: int | None = None,
        order: int = 5,
        gap: float = 1.5,
    ) -> list[Orbit]:
        r"""Read recorded motion: one orbit of coordinates and velocities for each stretch of time without a gap.

        Numbers stay in the units of the file. Columns may be separated by commas, semicolons, tabs or blanks; see
        `systems.recording.read_columns`. A row with an empty cell, or NaN, in a column that is used was not measured.

        Angles are unwrapped before anything is derived: a jump by a whole period is no motion. Across a gap they are unwrapped
        where the largest recorded speed leaves no doubt; otherwise they go on as recorded.

        Derivatives come from a Savitzky-Golay filter without phase lag. Where a few rows are missing, its polynomials are
        fitted to the others, across gaps of up to a quarter of the window. Half a window is lost at both ends of what
        is so bridged. Stretches shorter than the window are left out with a warning, if any are long enough.

        Parameters
        ----------
        path
            CSV file.
        columns
            Name of each column, which wins over the header; ``"theta [deg]"`` tells the unit, too, and ``"_"`` leaves a column
            out. Without a header, defaults to ``t, theta, omega, alpha``, as many as there are.
        time
            Column of times.
        coordinates
            Columns of positions or angles. What else the file holds is left out.
        angle
            Column of the only coordinate, ``"theta"`` by default. A file with other columns than this, its rates and the
            by-products of film tracking is refused; pass ``coordinates`` to choose among them.
        velocity, acceleration
            Columns of the rates, one for each coordinate, or the names of what is derived. Default to ``omega`` and
            ``alpha`` for a single angle, ``omega_1`` and ``alpha_1`` for ``theta_1``, ``v_x`` and ``a_x`` for ``x``.
        periods
            Period of each coordinate that is an angle, by name; ``{}`` if there is none. By default a coordinate is an angle
            if its unit is rad or deg, or if its name begins with theta, phi, psi or angle and no other unit is given.
        rates
            ``"file"`` takes velocity and acceleration from the file and derives what is missing; ``"derived"`` smooths the
            coordinate and derives both from it.
        window
            Samples that the filter spans, odd; defaults to half of the dominant period, which is that of a turn for an angle
            that turns over.
        order
            Order of the filter's polynomials.
        gap
            A step longer than this many median steps starts a new orbit.

        Returns
        -------
        list of Orbit
            States ``(T, 2 D)``, first all coordinates, then all velocities, with their rates. The provenance tells which
            rates are derived and how, the units, and how many rows were read, bridged and left out.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        InputError
            If the file holds no numbers, misses a column, has two of one name or one that would not be used, if times
            do not increase, rates are in other units than coordinates, the turns of an angle cannot be counted, several
            pendulums are in the file, or every stretch is shorter than the window.

        Examples
        --------
        >>> import math, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "swing.csv"
        >>> _ = path.write_text("t,theta\n" + "".join(f"{i / 20},{math.sin(i / 20)}\n" for i in range(400)))
        >>> Orbit.from_csv(path)
        [Orbit(theta, omega: 340 times, t = 1.5 to 18.45)]
        """
        from systems.recording.motion import read_motion  # SciPy is loaded when it is first used

        motions = read_motion(
            path,
            columns,
            time=time,
            coordinates=coordinates,
            angle=angle,
            velocity=velocity,
            acceleration=acceleration,
            periods=periods,
            rates=rates,
            window=window,
            order=order,
            gap=gap,
        )
        return [
            cls(
                t=torch.from_numpy(motion.t),
                z=torch.from_numpy(motion.z),
                rate=torch.from_numpy(motion.rate),
                coordinates=motion.coordinates,
                provenance=motion.provenance,
                periods=motion.periods,
            )
            for motion in motions
        ]

    @staticmethod
    def stack(orbits: Sequence[Orbit]) -> Orbit:
        """Orbits over the same times as one batch, on a new first axis. Raises InputError where they do not match."""
        first = _alike(orbits)
        if any(orbit.shape != first.shape or not torch.equal(orbit.t, first.t) for orbit in orbits):
            raise InputError("only orbits with the same times and shapes stack to a batch; give the others as a list")
        rates = [orbit.rate for orbit in orbits if orbit.rate is not None]
        return replace(
            first,
            z=torch.stack([orbit.z for orbit in orbits]),
            rate=torch.stack(rates) if len(rates) == len(orbits) else None,
        )

    @staticmethod
    def concatenate(orbits: Sequence[Orbit]) -> Orbit:
        """Orbits that follow each other in time as one. Raises InputError where the times do not go on."""
        first = _alike(orbits)
        if any(orbit.shape[:-1] != first.shape[:-1] for orbit in orbits):
            raise InputError("only batches of equally many orbits follow each other in time")
        rates = [orbit.rate for orbit in orbits if orbit.rate is not None]
        return replace(
            first,
            t=torch.cat([orbit.t for orbit in orbits]),
            z=torch.cat([orbit.z for orbit in orbits], dim=-2),
            rate=torch.cat(rates, dim=-2) if len(rates) == len(orbits) else None,
        )


def check_times(t: Tensor) -> None:
    """Raise InputError unless times are a list of finite numbers, strictly increasing or strictly decreasing."""
    if t.ndim != 1 or len(t) == 0:
        raise InputError(f"an orbit needs a list of at least one time, not times of shape {tuple(t.shape)}")
    if not torch.isfinite(t).all():
        raise InputError("times must be finite numbers")
    steps = t.diff()
    if not ((steps > 0).all() or (steps < 0).all()):
        where = int((steps * steps[0] <= 0).nonzero()[0])
        raise InputError(
            f"times must strictly increase or strictly decrease, but t[{where}] = {t[where]:g} "
            f"is followed by t[{where + 1}] = {t[where + 1]:g}"
        )


def _alike(orbits: Sequence[Orbit]) -> Orbit:
    if not orbits:
        raise InputError("no orbits were given")
    if any(orbit.coordinates != orbits[0].coordinates for orbit in orbits):
        raise InputError(f"orbits of different coordinates: {sorted({orbit.coordinates for orbit in orbits})}")
    origins = [(o.provenance["system"], o.provenance.get("parameters")) for o in orbits if "system" in o.provenance]
    for other in origins[1:]:
        if other != origins[0]:
            raise InputError(f"orbits of {origins[0]} and of {other} do not make one Orbit: keep them in a list")
    return replace(orbits[0], periods=agreed_periods([orbit.periods for orbit in orbits]))


def _names(coordinates: Sequence[str], dim: int) -> tuple[str, ...]:
    """The names of so many coordinates, numbered where none are given."""
    names = tuple(coordinates) or tuple(f"z{i}" for i in range(dim))
    if len(names) != dim:
        raise InputError(f"{len(names)} coordinate names {names} for states of dimension {dim}")
    if not all(isinstance(name, str) and name and name.isprintable() for name in names):
        raise InputError(f"coordinates must be named by printable text, not {names!r}")
    if len(set(names)) < dim:
        raise InputError(f"every coordinate needs a name of its own, but they are {', '.join(names)}")
    return names
