"""A marker in front of a background that stands still: found by what it hides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from systems.film.opencv import cv2
from systems.film.points.spot import LARGEST, NEAR, SMALLEST
from systems.film.tracking.arrays import Floats
from systems.film.tracking.backdrop import Backdrop, Moved
from systems.film.tracking.decode import Frame
from systems.film.tracking.markers import window

CLEAR = 3.0  # standard deviations by which a marker must differ from the backdrop
WINDOW = 0.15  # of the picture's longer side: how far from a click a marker ends


@dataclass(frozen=True)
class Foreground:
    """A marker in the frame in which a user gives it.

    Attributes
    ----------
    moved
        The backdrop, and the marker's difference from it.
    centre : shape ``(2,)``
        Its centre [pixels].
    mass : float
        Its area [pixels].
    """

    moved: Moved
    centre: Floats
    mass: float


def foreground_at(frame: Frame, point: tuple[float, float], backdrop: Backdrop) -> Foreground | None:
    """Return what hides the backdrop at a point, or next to it; None if nothing does.

    Parameters
    ----------
    frame
        The frame.
    point
        x and y on the marker [pixels].
    backdrop
        What the film shows without the marker.
    """
    reach = max(24, round(WINDOW * max(frame.y.shape)))
    x, y = round(point[0]), round(point[1])
    view, left, top = window(frame, x - reach, y - reach, x + reach + 1, y + reach + 1)
    difference = backdrop.difference(view, left, top)
    rows, columns = np.indices(difference.shape)
    away = np.hypot(columns + left - point[0], rows + top - point[1])
    moved = Moved(backdrop, float(difference[away <= NEAR].max(initial=0.0)))
    if moved.contrast < CLEAR:
        return None
    mask = moved.amount(view, left, top) > 0.5
    _, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    near = np.where(mask, away, np.inf)
    own = labels.ravel()[near.argmin()]
    area = stats[own][cv2.CC_STAT_AREA]
    if near.min() > NEAR or not SMALLEST <= area <= LARGEST * mask.size:
        return None
    return Foreground(moved, centres[own] + (left, top), float(area))
