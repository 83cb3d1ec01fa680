"""States of a system that a film shows, with their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from systems.film.points.positions import Positions
from systems.film.points.settle import SYSTEMATIC
from systems.orbit import Orbit
from systems.recording import smooth

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class States:
    """States of a system at the times of a film.

    Parameters
    ----------
    orbit : Orbit
        States ``(T, D)`` in the coordinates of the system, NaN where the film does not show them. Positions and angles are as
        measured, velocities and momenta are smoothed.
    errors : shape ``(T, D)``
        Standard errors of the states.
    measures : mapping of str to (float, float)
        Lengths and other constants that the film shows, each with its standard error.
    measured : int
        Number of coordinates, the first ones, that were measured rather than derived.
    """

    orbit: Orbit
    errors: Floats
    measures: Mapping[str, tuple[float, float]]
    measured: int

    def of_positions(self) -> Orbit:
        """Return the orbit of the measured coordinates alone, which is what `systems.fit` should be given.

        Returns
        -------
        Orbit
            The first half of the coordinates, without velocities or momenta.
        """
        names = self.orbit.coordinates[: self.measured]
        periods = {name: period for name, period in self.orbit.periods.items() if name in names}
        units = {name: unit for name, unit in self.orbit.units.items() if name in (*names, "t")}
        return Orbit(self.orbit.t, self.orbit.z[:, : self.measured], None, names, self.orbit.provenance, periods, units)


@dataclass(frozen=True)
class Motion:
    """A measured coordinate with its rate, ``(T,)`` each; NaN where not measured."""

    value: Floats
    error: Floats
    rate: Floats
    rate_error: Floats


def motion_of(t: Floats, value: Floats, error: Floats, pixel: float) -> Motion:
    """Return a coordinate with its rate by a smoothing spline, which expects no oscillation.

    Parameters
    ----------
    t : shape ``(T,)``
        Times [s].
    value, error : shape ``(T,)``
        The coordinate and its standard errors, NaN where it was not measured.
    pixel
        Change of the coordinate if its markers move by a pixel; the errors that places have in common grow with it.
    """
    seen = np.isfinite(value)
    if seen.sum() < 2:
        unknown = np.full(len(t), np.nan)
        return Motion(value, error, unknown, unknown)
    (found,) = smooth([(t, value)])
    errors = found.errors[1]
    if not np.isfinite(found.noise):  # too few values per turn to tell noise from motion: the noise is that of the places
        step = float(np.median(np.diff(t[seen])))
        errors = np.maximum(errors, np.nanmedian(error) / step)
    # what the grid of pixels does to a moving marker comes and goes too slowly to be smoothed away, and is no noise
    with np.errstate(invalid="ignore", divide="ignore"):
        fastest = found.errors[1] / found.errors[0]  # [1/s]
    errors = np.hypot(errors, SYSTEMATIC * pixel * np.where(np.isfinite(fastest), fastest, 0))
    return Motion(value, error, np.where(seen, found.values[1], np.nan), np.where(seen, errors, np.nan))


def length_of(positions: Positions, one: int, other: int) -> tuple[Floats, tuple[float, float]]:
    """Return the distance of two markers ``(T,)``, and its median with a standard error."""
    return median_of(positions, np.hypot(positions.x[other] - positions.x[one], positions.y[other] - positions.y[one]))


def median_of(positions: Positions, length: Floats) -> tuple[Floats, tuple[float, float]]:
    """Return lengths and their median with a standard error, which includes that of the scale."""
    known = length[np.isfinite(length)]
    if not len(known):
        return length, (float("nan"), float("nan"))
    middle = float(np.median(known))
    common = np.sqrt(2) * SYSTEMATIC * positions.axes.scale
    error = np.sqrt(known.var() / len(known) + common**2 + (positions.axes.scale_error * middle) ** 2)
    return length, (middle, float(error))


def states_of(
    positions: Positions,
    columns: Mapping[str, tuple[Floats, Floats]],
    measured: int,
    measures: Mapping[str, tuple[float, float]],
    units: Mapping[str, str],
    periods: Mapping[str, float] | None = None,
) -> States:
    """Return states from their columns by name, each with its errors."""
    z = np.stack([value for value, _ in columns.values()], axis=-1)
    provenance = {**positions.provenance, "measures": {name: list(pair) for name, pair in measures.items()}}
    orbit = Orbit(
        torch.from_numpy(positions.t.copy()),
        torch.from_numpy(z),
        coordinates=tuple(columns),
        provenance=provenance,
        periods=periods or {},
        units={**units, "t": "s"},
    )
    return States(orbit, np.stack([error for _, error in columns.values()], axis=-1), dict(measures), measured)
