"""The units of measured coordinates, which are kept as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from systems.errors import InputError

TIME = "t"
Units = Mapping[str, str]


def check_units(units: Mapping[str, str], coordinates: Sequence[str]) -> dict[str, str]:
    """Validate the units of coordinates and of the time, and return them as a plain dictionary without empty ones.

    Raises InputError if a name is neither ``t`` nor one of the coordinates, or if a unit is not printable text.
    """
    if not isinstance(units, Mapping):
        raise InputError(f"units must map names of coordinates to text, such as {{'x': 'm', 't': 's'}}, not {units!r:.80}")
    for name, unit in units.items():
        if name != TIME and name not in coordinates:
            raise InputError(
                f"a unit is given for {name!r}, which is neither {TIME!r} nor one of the coordinates {', '.join(coordinates)}"
            )
        if not (isinstance(unit, str) and unit.isprintable()):
            raise InputError(f"the unit of {name} must be printable text, such as 'm/s', not {unit!r:.80}")
    return {name: unit.strip() for name, unit in units.items() if unit.strip()}


def agreed_units(each: Sequence[Units]) -> dict[str, str]:
    """Return the units of several orbits together. Raises InputError if a coordinate has different ones."""
    found: dict[str, str] = {}
    for units in each:
        for name, unit in units.items():
            if found.setdefault(name, unit) != unit:
                what = "the time" if name == TIME else name
                raise InputError(f"{what} is in {found[name]} in one orbit and in {unit} in another; convert them to one unit")
    return found
