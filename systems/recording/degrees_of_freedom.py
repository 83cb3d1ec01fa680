"""Choice of the coordinates among the columns of a recording, of their rates, and of the coordinates that are angles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi
from pathlib import Path

from systems.errors import InputError
from systems.periodic import check_periods
from systems.recording.angles import ANGLE, LENGTHS, TURN, unit_in
from systems.recording.csv_columns import Columns, listed, name_and_unit

DEFAULT_ANGLE = "theta"
PER_TIME = re.compile(r"(\S+?)\s*/\s*([^\W\d]+)\s*(?:\^?\(?2\)?|²|\*\*2)?")
BY_PRODUCTS = ("pendulum", "quality", "frame")  # columns that film tracking adds, besides NAME_error for a column NAME


@dataclass(frozen=True)
class Degree:
    """A degree of freedom of a recording.

    Parameters
    ----------
    coordinate, velocity, acceleration : str
        Names of the columns, or of the derived rates.
    period : float or None
        Period of an angle, or None for other coordinates.
    declared : bool
        Whether the user or a unit says if the coordinate is an angle.
    given : tuple of str
        Those of velocity and acceleration that are read from the file.
    """

    coordinate: str
    velocity: str
    acceleration: str
    period: float | None
    declared: bool
    given: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are read."""
        return (self.coordinate, *self.given)


def choose(
    path: Path,
    data: Columns,
    *,
    time: str,
    coordinates: str | Sequence[str] | None,
    angle: str | None,
    velocity: str | Sequence[str] | None,
    acceleration: str | Sequence[str] | None,
    periods: Mapping[str, float] | None,
    from_file: bool,
) -> list[Degree]:
    """Choose the degrees of freedom among the columns; see `systems.Orbit.from_csv` for the arguments.

    Raises InputError if a column is missing, used twice or unused, or if its unit is incompatible with the others.
    """
    if coordinates is not None and angle is not None:
        raise InputError("both angle and coordinates name the coordinates; pass only coordinates")
    names = _names(coordinates if coordinates is not None else angle or DEFAULT_ANGLE)
    if not names:
        raise InputError("coordinates is empty; name at least one column")
    for name in (time, *names):
        if name not in data:
            raise InputError(
                f"{path} has no column {name!r}, only {listed(data)}; pass time and coordinates to use other names, or "
                "columns to rename the columns"
            )
    if periods is not None:
        periods = check_periods(periods, names)
    unit = {name: data.units.get(name) or unit_in(name) for name in names}
    period = {name: _period(path, name, unit[name], periods) for name in names}
    usual = [usual_rates(name, len(names) == 1 and period[name] is not None) for name in names]
    velocities = [v for v, _ in usual] if velocity is None else _as_many(velocity, names, "velocity")
    accelerations = [a for _, a in usual] if acceleration is None else _as_many(acceleration, names, "acceleration")
    used = [time, *names, *velocities, *accelerations]
    if twice := [name for i, name in enumerate(used) if name in used[:i]]:
        raise InputError(f"the name {twice[0]!r} occurs twice among {', '.join(used)}; use a different name for each column")
    if coordinates is None and (unused := [name for name in data if name not in used and not _is_by_product(name, data)]):
        raise InputError(
            f"{path} has the columns {listed(data)}, but {listed(unused)} would not be used; pass coordinates="
            f"{(*names, unused[0])!r} to read several coordinates, coordinates={tuple(names)!r} or '_' in columns to leave "
            "the others out, or velocity and acceleration to name the rates"
        )
    degrees = [
        Degree(
            q,
            v,
            a,
            period[q],
            periods is not None or bool(unit[q]),
            tuple(name for name in (v, a) if from_file and name in data),
        )
        for q, v, a in zip(names, velocities, accelerations, strict=True)
    ]
    for degree in degrees:
        _check_units(path, data.units, time, degree)
    return degrees


def rate_units(units: Mapping[str, str], time: str, degrees: Sequence[Degree]) -> dict[str, str]:
    """Return the units of an orbit's columns, with the units of derived rates.

    A derived rate has the unit of its coordinate per unit of time, whatever unit the file gives for a column of that name. It
    has no unit if the unit of the coordinate is unknown. If the times have no unit, it is taken from the rates in the file,
    and otherwise it is the second.

    Parameters
    ----------
    units
        Units by column, as given in the file.
    time
        Name of the column of times.
    degrees
        Degrees of freedom, which say which rates are read from the file.

    Returns
    -------
    dict
        Units by name, such as ``{"theta": "deg", "omega": "deg/s"}``. Derived rates are included only if the file has such
        columns.
    """
    result = dict(units)
    for degree in degrees:
        unit = units.get(degree.coordinate) or unit_in(degree.coordinate)
        for name, power in ((degree.velocity, ""), (degree.acceleration, "^2")):
            if name in degree.given or name not in units:
                continue
            told = PER_TIME.fullmatch(result.pop(name))
            if unit:
                result[name] = f"{unit}/{units.get(time) or (told[2] if told else 's')}{power}"
    return result


def orbit_units(units: Mapping[str, str], time: str, degrees: Sequence[Degree]) -> dict[str, str]:
    """Return the units of an orbit's times, coordinates and velocities, of those that are known.

    ``units`` are the units by column, with those of derived rates from `rate_units`. A velocity without a unit has that of its
    coordinate per unit of time.
    """
    found = {"t": units.get(time, "")}
    for degree in degrees:
        unit = units.get(degree.coordinate) or unit_in(degree.coordinate)
        found[degree.coordinate] = unit
        found[degree.velocity] = units.get(degree.velocity) or (f"{unit}/{found['t']}" if unit and found["t"] else "")
    return {name: unit for name, unit in found.items() if unit}


def _names(given: str | Sequence[str]) -> list[str]:
    return [name_and_unit(name)[0] for name in ([given] if isinstance(given, str) else given)]


def _as_many(given: str | Sequence[str], coordinates: list[str], what: str) -> list[str]:
    names = _names(given)
    if len(names) != len(coordinates):
        raise InputError(f"{what} names {len(names)} columns for {len(coordinates)} coordinates; name one for each")
    return names


def usual_rates(coordinate: str, single_angle: bool) -> tuple[str, str]:
    """Return the default names of rates: omega, alpha for theta or a single angle, omega_1 for theta_1, v_x, a_x for x."""
    if single_angle or coordinate == DEFAULT_ANGLE:
        return "omega", "alpha"
    stem, _, index = coordinate.partition("_")
    if stem == DEFAULT_ANGLE:
        return f"omega_{index}", f"alpha_{index}"
    return f"v_{coordinate}", f"a_{coordinate}"


def _period(path: Path, name: str, unit: str, periods: Mapping[str, float] | None) -> float | None:
    """Return the period of a coordinate as given, or from its unit or name, or None if it is not an angle."""
    if periods is not None:
        return periods.get(name)
    if unit.lower() in TURN:
        return TURN[unit.lower()]
    if not ANGLE.match(name) or unit.lower() in LENGTHS:
        return None
    if unit:
        raise InputError(
            f"{path}: the unit {unit!r:.40} of {name} is not known; pass periods={{{name!r}: ...}} with the length of a turn, "
            "or periods={} if it is not an angle"
        )
    return 2 * pi


def _is_by_product(name: str, data: Columns) -> bool:
    return name in BY_PRODUCTS or (name.endswith("_error") and name.removesuffix("_error") in data)


def _check_units(path: Path, units: Mapping[str, str], time: str, degree: Degree) -> None:
    """Raise InputError if rates in the file have units that contradict those of the coordinate and the time."""
    for name in degree.given:
        found = PER_TIME.fullmatch(units.get(name, ""))
        for column, unit in zip((degree.coordinate, time), found.groups() if found else (), strict=False):
            own = units.get(column, unit)
            if TURN.get(own.lower(), own) != TURN.get(unit.lower(), unit):
                raise InputError(
                    f"{path}: {name} is in {units[name]}, but {column} is in {own}; convert them to the same units, or pass "
                    "rates='derived'"
                )
