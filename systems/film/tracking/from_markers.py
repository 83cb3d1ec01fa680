"""Angles from markers that another program has tracked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas

from systems.errors import InputError
from systems.film.tracking.angles import FEWEST, Ends, angles
from systems.film.tracking.gathering import from_the_front, gather, pixels_table
from systems.film.tracking.result import Tracking
from systems.film.tracking.view import check


def from_markers(
    t: npt.ArrayLike,
    upper: npt.ArrayLike,
    lower: npt.ArrayLike,
    *,
    y_up: bool = False,
    size: tuple[int, int] | None = None,
    focal_length: float | None = None,
) -> Tracking:
    """Compute the angles of one pendulum from places of its two ends that were tracked by another program.

    Parameters
    ----------
    t : shape ``(T,)``
        Times [s].
    upper, lower : shape ``(T, 2)``
        Places (x, y) of both ends [pixels]; NaN where not seen.
    y_up : default False
        Whether y points up rather than down as in pictures; this determines the sign of the angles.
    size : optional
        Width and height of the picture [pixels], without which no oblique view is undone.
    focal_length : optional
        Focal length of the lens in diagonals of the picture, as for `track`.

    Returns
    -------
    Tracking
        Angles, rates, orbits and a report.

    Raises
    ------
    InputError
        If shapes do not fit, times do not increase, or too little is seen to determine a swing.
    """
    check(focal_length, size)
    times = np.asarray(t, float)
    places = {"upper": np.asarray(upper, float), "lower": np.asarray(lower, float)}
    for name, place in places.items():
        if place.shape != (len(times), 2):
            raise InputError(f"{name} must have shape ({len(times)}, 2), for {len(times)} times, not {place.shape}")
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise InputError("times must be finite and strictly increase")
    if len(times) < 2:
        raise InputError(f"a swing needs at least {FEWEST} times, not {len(times)}")
    height = 1 if size is None else size[1]
    z = {name: x + 1j * (height - 1 - y if y_up else y) for name, (x, y) in ((n, place.T) for n, place in places.items())}
    ends = Ends(times, z["lower"], z["upper"])
    done = [angles(ends, "the pendulum")]
    if size is not None:
        done = from_the_front([ends], done, size, focal_length, "the pendulum")
    pixels = [pixels_table(0, end, times, place) for end, place in places.items()]
    return gather(done, [pandas.concat(pixels, ignore_index=True)], {"markers": "given"})
