"""The marker at a pixel that a user gives: a spot that differs from its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Floats, Image, Mask
from systems.film.tracking.backdrop import Moved
from systems.film.tracking.decode import Frame
from systems.film.tracking.markers import NOISE, Paint, window

WINDOW = 0.15  # of the picture's longer side, to each side of the pixel
SMALLEST = 1.5  # pixels: radius of the smallest spot
FINER = 1.25  # factor between the radii that are tried
CLEAR = 3.0  # standard deviations by which a spot must differ from its surroundings
NEARLY = 0.8  # of the best contrast: the smallest radius that has it is taken, since a marker may sit on a bob
LEAST = 4.0  # pixels: the smallest area of a spot
LARGEST = 0.25  # of the window: a larger patch of the same colour is no marker


@dataclass(frozen=True)
class Spot:
    """A marker in one frame.

    Attributes
    ----------
    sight : Paint or Moved
        What distinguishes it from its surroundings.
    centre : shape ``(2,)``
        Its centre [pixels].
    mass, radius : float
        Its area and its radius [pixels].
    """

    sight: Paint | Moved
    centre: Floats
    mass: float
    radius: float


def painted_spot(frame: Frame, point: tuple[float, float]) -> Spot | None:
    """Find the spot of one colour at a pixel.

    Parameters
    ----------
    frame
        The frame.
    point
        x and y on the spot [pixels].

    Returns
    -------
    Spot or None
        The spot; None if nothing at the pixel has a colour or brightness of its own.
    """
    view, at, away = _view(frame, point)
    best: list[tuple[float, float, Paint]] = []
    radius = SMALLEST
    while 2.4 * radius < min(view.shape[:2]) / 2:
        inside, ring = away <= max(0.7 * radius, 1), (away > 1.6 * radius) & (away < 2.4 * radius)
        if ring.sum() >= 8:
            paint = Paint.between(view[inside].astype(float), view[ring].astype(float))
            apart = paint.inside - paint.outside
            best.append((float(np.sqrt(apart @ np.linalg.solve(NOISE, apart))), radius, paint))
        radius *= FINER
    most = max((contrast for contrast, _, _ in best), default=0.0)
    if most < CLEAR:
        return None
    _, radius, paint = min((item for item in best if item[0] >= NEARLY * most), key=lambda item: item[1])
    mask = _component(paint.amount(view) > 0.5, at, radius)
    if mask is None:
        return None
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    ring = cv2.dilate(near, np.ones((5, 5), np.uint8), iterations=max(1, round(radius / 3))).astype(bool) & ~near.astype(bool)
    if not ring.any():
        return None
    paint = Paint.between(view[core if core.sum() >= 4 else mask].astype(float), view[ring].astype(float))
    return _spot(paint, mask, at, point)


def moved_spot(frame: Frame, point: tuple[float, float], moved: Moved) -> Spot | None:
    """Find the spot at a pixel that differs from the backdrop.

    Parameters
    ----------
    frame
        The frame.
    point
        x and y on the spot [pixels].
    moved
        The backdrop, with any contrast.

    Returns
    -------
    Spot or None
        The spot; None if nothing at the pixel differs from the backdrop.
    """
    view, at, away = _view(frame, point)
    left, top = (round(float(p - a)) for p, a in zip(point, at, strict=True))
    difference = moved.backdrop.difference(view, left, top)
    contrast = float(difference[away <= 4].max(initial=0.0))
    if contrast < CLEAR:
        return None
    sight = Moved(moved.backdrop, contrast)
    mask = _component(sight.amount(view, left, top) > 0.5, at, 4.0)
    return None if mask is None else _spot(sight, mask, at, point)


def _view(frame: Frame, point: tuple[float, float]) -> tuple[Image, Floats, Floats]:
    """Return the window around a pixel, where the pixel is in it, and how far each pixel is from it."""
    reach = max(24, round(WINDOW * max(frame.y.shape)))
    x, y = point
    view, left, top = window(frame, round(x) - reach, round(y) - reach, round(x) + reach + 1, round(y) + reach + 1)
    at = np.array([x - left, y - top])
    rows, columns = np.indices(view.shape[:2])
    return view, at, np.hypot(columns - at[0], rows - at[1])


def _component(mask: Mask, at: Floats, reach: float) -> Mask | None:
    """Return the connected part of a mask that is nearest to a place, or None if there is none near it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    away = np.hypot(columns - at[0], rows - at[1])
    nearest = int(np.argmin(away))
    label = labels[rows[nearest], columns[nearest]]
    area = stats[label][cv2.CC_STAT_AREA]
    return labels == label if away[nearest] <= reach and LEAST <= area <= LARGEST * mask.size else None


def _spot(sight: Paint | Moved, mask: Mask, at: Floats, point: tuple[float, float]) -> Spot:
    rows, columns = np.nonzero(mask)
    centre = np.array(point) - at + np.array([columns.mean(), rows.mean()])
    return Spot(sight, centre, float(mask.sum()), float(np.sqrt(mask.sum() / np.pi)))
