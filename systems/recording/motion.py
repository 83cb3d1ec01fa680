"""Reading of recorded motion from CSV files: coordinates, velocities and accelerations, in intervals without a gap."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import pi
from numbers import Real
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from systems.errors import InputError, outside
from systems.recording.csv_columns import RUNS, Columns, read_columns
from systems.recording.degrees_of_freedom import Degree, choose, orbit_units, rate_units
from systems.recording.derivatives import (
    Floats,
    acceleration_gain,
    bridged_derivatives,
    check_filter,
    dominant_period,
    half_period_window,
    places,
    stretches,
    too_short,
)
from systems.recording.unwrapping import refuse_unclear, seems_wrapped, unwrapped

BRIDGED = 0.25  # of a window; the filter bridges shorter gaps, and always a single missing row
FILLED = 3.5  # median steps; the period is estimated across gaps up to this length
ALIKE = 0.9  # correlation above which a column counts as a multiple of the rate
LARGEST_FACTOR = 5.0  # by which a column of rates may differ from the rate of its coordinate


@dataclass(frozen=True)
class Motion:
    """One interval of recorded motion, as arrays from which an `Orbit` is created."""

    t: Floats
    z: Floats
    rate: Floats
    coordinates: tuple[str, ...]
    provenance: dict[str, Any]
    periods: dict[str, float]
    units: dict[str, str]


def read_motion(
    path: str | os.PathLike[str],
    columns: Sequence[str] | None,
    *,
    time: str,
    rates: str,
    window: int | None,
    order: int,
    gap: float,
    periods: Mapping[str, float] | None,
    **names: str | Sequence[str] | None,
) -> list[Motion]:
    """Read the intervals of a recording; see `systems.Orbit.from_csv`, which returns them as orbits."""
    if rates not in ("file", "derived"):
        raise InputError(f"rates must be 'file' or 'derived', not {rates!r}")
    if not (isinstance(gap, Real) and gap > 1):
        raise InputError(f"gap must be more than 1 median step, not {gap!r}")
    if isinstance(columns, str):
        raise InputError(f"columns must be a list of names, such as {columns.split(',')!r}, not the text {columns!r}")
    if periods is not None and not isinstance(periods, Mapping):
        raise InputError(f"periods must map the names of angles to their periods, such as {{'theta': 360}}, not {periods!r}")
    window, order = None if window is None else _whole("window", window), _whole("order", order)
    data = read_columns(path, columns)
    degrees = choose(Path(path), data, time=time, periods=periods, from_file=rates == "file", **names)
    used = [time, *(name for degree in degrees for name in degree.columns)]
    _check_one_run(Path(path), data, used)
    measured = ~np.isnan(np.array([data[name] for name in used])).any(axis=0)
    values = {name: data[name][measured] for name in used}
    t = values[time]
    if len(t) < 2 or not (np.diff(t) > 0).all():
        raise InputError(f"{path}: column {time} must contain at least two times, which strictly increase")
    with np.errstate(all="ignore"):  # values such as 1e308 overflow; results that are not finite are rejected below
        recording = _Recording(path, t, values, degrees, stretches(t, gap))
        recording.unwrap()
        recording.check_rates()
        rows, told = recording.rates(window, order)
    kept = np.isfinite(rows).all(axis=(0, 1))
    if not kept.any():
        raise InputError(f"{path}: too many rows are missing to estimate derivatives; pass a smaller window, or rates='file'")
    units = rate_units(data.units, time, degrees)
    provenance = {
        "file": Path(path).name,
        "rates": {n: "file" if n in d.given else "derived" for d in degrees for n in (d.velocity, d.acceleration)},
        **({"units": units} if units else {}),
        "rows": {"file": len(data[time]), "measured": len(t), "used": int(kept.sum())},
        **told,
    }
    if (lost := told.get("too_short")) and lost["stretches"]:
        warnings.warn(
            f"{path}: {lost['rows']} of {len(t)} rows are left out, because their intervals ({lost['stretches']} in total) "
            f"are shorter than the filter's window of {told['filter']['window']} samples; set window to keep them",
            stacklevel=outside(),
        )
    at = np.flatnonzero(kept)
    ends = np.flatnonzero(np.diff(t[at]) > gap * np.median(np.diff(t))) + 1
    return [
        Motion(
            t=t[run],
            z=np.concatenate([rows[:, 0, run], rows[:, 1, run]]).T,
            rate=np.concatenate([rows[:, 1, run], rows[:, 2, run]]).T,
            coordinates=tuple([d.coordinate for d in degrees] + [d.velocity for d in degrees]),
            provenance=provenance,
            periods={d.coordinate: d.period for d in degrees if d.period is not None},
            units=orbit_units(units, time, degrees),
        )
        for run in np.split(at, ends)
    ]


def _check_one_run(path: Path, data: Columns, used: Sequence[str]) -> None:
    """Raise InputError if a column that is not used tells that there are several runs, which are no single motion."""
    for name in (column for column in data if column.lower() in ("pendulum", *RUNS) and column not in used):
        if len(np.unique(data[name])) > 1:
            what = "pendulums" if name == "pendulum" else "runs"
            raise InputError(
                f"{path} contains several {what}, according to its column {name}; keep the rows of one, or read them all by "
                f"Orbit.of(path, run={name!r})"
            )


def _whole(name: str, value: int) -> int:
    try:
        return index(value)
    except TypeError as error:
        raise InputError(f"{name} must be a whole number, not {value!r}") from error


class _Recording:
    """The measured values while rates are derived from them. ``parts`` are the intervals without a gap."""

    def __init__(
        self, path: object, t: Floats, values: dict[str, Floats], degrees: Sequence[Degree], parts: Sequence[slice]
    ) -> None:
        self.path, self.t, self.values, self.degrees, self.parts = path, t, values, degrees, parts
        self.joined = [True] * (len(parts) - 1)  # whether all angles are known to continue from one part to the next

    def unwrap(self) -> None:
        """Undo the jumps of angles. Raises InputError if rates depend on jumps that cannot be distinguished from motion."""
        for degree in self.degrees:
            name, x = degree.coordinate, self.values[degree.coordinate]
            for period in () if degree.declared else (2 * pi, 360.0):
                if (degree.period is None or np.ptp(x) > degree.period) and seems_wrapped(x, period, self.parts):
                    raise InputError(
                        f"{self.path}: {name} jumps by up to {np.ptp(x):.4g}, like an angle that is recorded modulo "
                        f"{period:.4g}; pass periods={{{name!r}: {period:.12g}}} if it is one, or periods={{}} if not"
                    )
            if degree.period is None:
                continue
            angle, joined, unclear = unwrapped(self.t, x, degree.period, self.parts)
            if degree.velocity not in degree.given:
                if unclear is not None:
                    refuse_unclear(self.path, name, self.t, degree.period, unclear)
                self.joined = [a and b for a, b in zip(self.joined, joined, strict=True)]
            self.values[name] = angle

    def check_rates(self) -> None:
        """Raise InputError if a velocity in the file is a multiple of the coordinate's rate, as in other units."""
        within = np.diff(self.t) <= FILLED * np.median(np.diff(self.t))
        for degree in self.degrees:
            if degree.velocity not in degree.given or within.sum() < 10:
                continue
            v = self.values[degree.velocity]
            way = np.diff(self.values[degree.coordinate])[within]
            due = ((v[1:] + v[:-1]) / 2 * np.diff(self.t))[within]
            size = np.linalg.norm(way) * np.linalg.norm(due)
            if not (0 < size < np.inf):
                continue
            alike, factor = way @ due / size, way @ due / (due @ due)
            if abs(alike) > ALIKE and not 1 / LARGEST_FACTOR < factor < LARGEST_FACTOR:
                raise InputError(
                    f"{self.path}: the rate of {degree.coordinate} is {factor:.3g} times the column {degree.velocity}; "
                    "convert them and the times to the same units, or pass rates='derived'"
                )

    def rates(self, window: int | None, order: int) -> tuple[Floats, dict[str, Any]]:
        """Return coordinates, velocities and accelerations ``(D, 3, T)``, NaN where unknown, and their provenance."""
        even = [self._oscillation(degree) for degree in self.degrees]
        window = min(half_period_window(x, order) for x in even) if window is None else window
        check_filter(window, order)
        gain = min(acceleration_gain(window, order, dominant_period(x)) for x in even)
        told: dict[str, Any] = {
            "filter": {"name": "savitzky-golay", "window": window, "order": order, "acceleration_gain": gain}
        }
        unknown = np.full_like(self.t, np.nan)
        rows = np.array(
            [[self.values.get(n, unknown) for n in (d.coordinate, d.velocity, d.acceleration)] for d in self.degrees]
        )
        if all(len(degree.given) == 2 for degree in self.degrees):
            return rows, told
        sections = self._sections(window)
        place = [places(self.t[part]) for part in sections]
        longest = max(int(at[-1]) + 1 for at in place)
        if longest < window:
            raise InputError(f"{self.path}: {too_short(longest, window)}")
        whole = [part for part, at in zip(sections, place, strict=True) if at[-1] + 1 >= window]
        holes = np.concatenate([np.diff(at) - 1 for at in place if at[-1] + 1 >= window])
        told["bridged"] = {"gaps": int((holes > 0).sum()), "missing_rows": int(holes.sum())}
        told["too_short"] = {
            "stretches": len(sections) - len(whole),
            "rows": len(self.t) - sum(part.stop - part.start for part in whole),
        }
        for row, degree in zip(rows, self.degrees, strict=True):
            derived = np.full((3, len(self.t)), np.nan)
            source = degree.velocity if degree.velocity in degree.given else degree.coordinate
            try:
                for part in whole:
                    derived[:, part] = bridged_derivatives(self.t[part], self.values[source][part], window, order)
            except InputError as error:
                raise InputError(f"{self.path}: {error}") from error
            if source == degree.velocity:
                row[2] = row[2] if degree.acceleration in degree.given else derived[1]
            else:
                row[:] = derived[0], derived[1], row[2] if degree.acceleration in degree.given else derived[2]
        return rows, told

    def _oscillation(self, degree: Degree) -> Floats:
        """Return the coordinate in the longest interval, with missing rows interpolated, to estimate its period.

        For an angle that turns over, this is the cosine, because the angle itself may grow steadily. The period is then
        that of a turn.
        """
        part = max(stretches(self.t, FILLED), key=lambda part: part.stop - part.start)
        place, x = places(self.t[part]), self.values[degree.coordinate][part]
        x = x if len(x) == place[-1] + 1 else np.interp(np.arange(place[-1] + 1), place, x)
        return x if degree.period is None or np.ptp(x) <= degree.period else np.cos(2 * pi / degree.period * x)

    def _sections(self, window: int) -> list[slice]:
        """Return the intervals that the filter treats as one, because it bridges the gaps within them."""
        bridged = max(2.5, BRIDGED * window) * float(np.median(np.diff(self.t)))
        starts = [
            after.start
            for (before, after), joined in zip(pairwise(self.parts), self.joined, strict=True)
            if not joined or self.t[after.start] - self.t[before.stop - 1] > bridged
        ]
        # the user's gap may be longer than the gaps that are bridged
        starts += [int(i) + 1 for i in np.flatnonzero(np.diff(self.t) > bridged)]
        edges = [0, *sorted(set(starts)), len(self.t)]
        return [slice(a, b) for a, b in pairwise(edges)]
