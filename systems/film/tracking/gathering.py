"""Gather the results for all pendulums of a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas

from systems.film.tracking.angles import Angles, Ends, angles
from systems.film.tracking.arrays import Floats
from systems.film.tracking.result import Tracking
from systems.film.tracking.tracking_file import COLUMNS
from systems.film.tracking.view import seen_from_the_front
from systems.orbit import Orbit


def from_the_front(
    ends: Sequence[Ends], done: Sequence[Angles], size: tuple[int, int], focal_length: float | None, name: str
) -> list[Angles]:
    """Return the angles without the camera's yaw, if the pendulums determine it.

    Parameters
    ----------
    ends
        Markers of each pendulum.
    done
        Angles of each pendulum as the film shows them.
    size
        Width and height of the picture [pixels].
    focal_length
        Focal length in diagonals of the picture, or None for that of a telephone.
    name
        Name of a pendulum in error messages.

    Returns
    -------
    list of Angles
        Angles of each pendulum, whose reports state the yaw.
    """
    straight, view = seen_from_the_front(ends, done, size, focal_length)
    told = []
    for before, after, a in zip(ends, straight, done, strict=True):
        if after is not before:
            a = angles(after, name)
        if before.upper is not None:
            a = replace(a, report=replace(a.report, yaw=view.yaw, yaw_error=view.yaw_error))
        told.append(a)
    return told


def pixels_table(pendulum: int, end: str, t: Floats, places: Floats) -> pandas.DataFrame:
    """Return the places of one end of one pendulum as a table.

    Parameters
    ----------
    pendulum
        Number of the pendulum.
    end
        "upper" or "lower".
    t : shape ``(T,)``
        Times [s].
    places : shape ``(T, 2)``
        x and y of the end [pixels].

    Returns
    -------
    pandas.DataFrame
        Columns pendulum, end, frame, t, x, y.
    """
    frame = np.arange(len(t))
    return pandas.DataFrame({"pendulum": pendulum, "end": end, "frame": frame, "t": t, "x": places[:, 0], "y": places[:, 1]})


def gather(done: list[Angles], pixels: list[pandas.DataFrame], provenance: dict[str, Any]) -> Tracking:
    """Gather the results of all pendulums, numbered from the left.

    Parameters
    ----------
    done
        Angles of each pendulum.
    pixels
        Places of its ends, as `pixels_table` returns them.
    provenance
        Provenance of the result.

    Returns
    -------
    Tracking
        The gathered results.
    """
    order = sorted(range(len(done)), key=lambda k: done[k].right)
    tables, markers, reports = [], [], []
    orbits: list[Orbit] = []
    for number, k in enumerate(order):
        table = done[k].table
        tables.append(table.assign(pendulum=number)[["pendulum", "t", *COLUMNS]])
        markers.append(pixels[k].assign(pendulum=number))
        reports.append(replace(done[k].report, pendulum=number))
        orbits += [replace(o, provenance={**provenance, "pendulum": number, **o.provenance}) for o in done[k].orbits]
    return Tracking(
        table=pandas.concat(tables, ignore_index=True),
        orbits=orbits,
        report=tuple(reports),
        markers=pandas.concat(markers, ignore_index=True),
        provenance=provenance,
    )
