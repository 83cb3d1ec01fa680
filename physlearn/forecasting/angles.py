"""The coordinates that the networks of a forecaster treat as angles, and the reduction of angles to one turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import models
from physlearn.metrics.spread import circular_mean
from physlearn.models.build import check_angles
from physlearn.models.library_model import LibraryModel
from physlearn.models.units import Units
from systems import InputError
from systems.periodic import shortest

# True for all coordinates that have a period, of which there must be some, None for all, False for none, or names
Choice = bool | tuple[str, ...] | None


def checked(angles: bool | str | Sequence[str] | None, model: str) -> Choice:
    """Return the choice as True, False, None or names; raise InputError for anything else, and for angles of a baseline.

    False means None for a model that treats every coordinate with a period as an angle.
    """
    choice: Choice
    found = models.find(model)
    if issubclass(found, LibraryModel) and found.natural_angles and (angles is None or angles is False):
        return None
    if isinstance(angles, bool | np.bool_):
        choice = bool(angles)
    else:
        names = (angles,) if isinstance(angles, str) else angles
        if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
            raise InputError(f"angles must be True, False or names of coordinates, not {angles!r:.80}")
        choice = tuple(dict.fromkeys(str(name) for name in names)) or False
    check_angles(model, choice)
    return choice


def chosen(angles: Choice, periods: Mapping[str, float], coordinates: Sequence[str]) -> dict[str, float]:
    """Return the periods of the coordinates that are treated as angles.

    Raises InputError for a name that is not a coordinate, for a coordinate without a period, and for ``angles=True`` if no
    coordinate has a period.
    """
    if angles is True and not periods:
        raise InputError(
            f"angles=True needs a coordinate with a period, but none of {', '.join(coordinates)} has one: give the orbits "
            "their periods, such as Orbit(..., periods={'theta': 2 * pi}), or leave angles out"
        )
    names = tuple(periods) if angles is True or angles is None else angles or ()
    for name in names:
        if name not in coordinates:
            raise InputError(f"angles names {name!r}, but the coordinates are {', '.join(coordinates)}")
        if name not in periods:
            raise InputError(
                f"angles names {name!r}, which has no period in the orbits: give it one, such as "
                f"Orbit(..., periods={{{name!r}: 2 * pi}}), or leave it out"
            )
    return {name: periods[name] for name in names}


def by_index(angles: Choice, periods: Mapping[str, float], coordinates: tuple[str, ...], units: Units) -> dict[int, float]:
    """Return the periods of the `chosen` coordinates in the units of a model, by the coordinates' indices."""
    found = {coordinates.index(name): period for name, period in chosen(angles, periods, coordinates).items()}
    return {i: period / float(units.scale[i]) for i, period in found.items()}


def within_a_turn(
    z: Float[Tensor, "n D"],
    others: Float[Tensor, "m D"] | None,
    periods: Mapping[str, float],
    coordinates: tuple[str, ...],
    center: Float[Tensor, " D"] | None = None,
) -> tuple[Float[Tensor, "n D"], Float[Tensor, "m D"] | None]:
    """Return states, and others, whose angles are within half a period of the center of the data.

    This is the circular mean of the first states' angles unless it is given. The spread is then that of the angle, however
    many turns it made, and float32 keeps its digits.
    """
    if not periods:
        return z, others
    middle = torch.zeros_like(z[0])
    for name, period in periods.items():
        place = coordinates.index(name)
        column = z[:, place]
        even = column.new_full((1,), 1 / len(column))
        middle[place] = circular_mean(column, even, period)[0] if center is None else center[place]
    z, *rest = (middle + shortest(x - middle, periods, coordinates) for x in ([z] if others is None else [z, others]))
    return z, rest[0] if rest else None
