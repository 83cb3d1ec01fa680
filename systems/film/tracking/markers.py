"""Coloured blobs: what distinguishes a marker from its surroundings, and where its centre is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Floats, Image, Mask
from systems.film.tracking.decode import Frame
from systems.film.tracking.noise import NORMAL

SEEN = 0.5  # of the marker's colour, mixed with that of its surroundings: the edge of a sharp blob
LARGE = 150  # pixels: in a larger patch, the interior more than two pixels from the edge prevails
FAINT = 0.2  # below it, a pixel counts as surroundings
FULL = 4  # pixels of a patch per mass, above which it is so faint that it is no marker
STRANGE = 0.35  # of the distance between both colours: a pixel farther off the line between them belongs to something else
NOISE = np.diag([15.0, 3.0, 3.0]) ** 2  # grey levels: brightness varies more than colour, and no colour is exact


@dataclass(frozen=True)
class Paint:
    """Colour of a marker against its surroundings, as a linear measure: 1 on the marker, 0 beside it.

    Because the measure is linear, a blob smeared by motion or by the lens keeps its centre and its total.

    Attributes
    ----------
    inside, outside : shape ``(3,)``
        Median (y, u, v) of the marker and of its surroundings.
    direction : shape ``(3,)``
        Direction of colour in which they differ most in units of their scatter (Fisher's discriminant).
    """

    inside: Floats
    outside: Floats
    direction: Floats

    @classmethod
    def between(cls, marker: Floats, beside: Floats) -> Paint:
        """Determine the measure from pixels.

        Parameters
        ----------
        marker : shape ``(N, 3)``
            Pixels (y, u, v) of the marker.
        beside : shape ``(M, 3)``
            Pixels of its surroundings.
        """
        inside, outside = np.median(marker, axis=0), np.median(beside, axis=0)
        scatter = NOISE + (_scatter(marker) + _scatter(beside)) / 2
        direction = np.linalg.solve(scatter, inside - outside)
        scale = max(float(direction @ (inside - outside)), 1e-9)
        return cls(inside, outside, np.asarray(direction / scale, np.float64))

    @classmethod
    def of(cls, picture: NDArray[Any], mask: Mask) -> Paint:
        """Determine the measure from the pixels of a marker against a ring around them.

        Parameters
        ----------
        picture : shape ``(h, w, 3)``
            Pixels (y, u, v).
        mask : shape ``(h, w)``
            Those of the marker.
        """
        own = mask.astype(np.uint8)
        core = cv2.erode(own, np.ones((3, 3), np.uint8)).astype(bool)
        core = core if core.sum() >= 4 else mask
        width = max(2, round(float(np.sqrt(mask.sum())) / 3))
        near = cv2.dilate(own, np.ones((3, 3), np.uint8), iterations=2)
        ring = cv2.dilate(near, np.ones((3, 3), np.uint8), iterations=width).astype(bool) & ~near.astype(bool)
        return cls.between(picture[core].astype(float), picture[ring].astype(float))

    @property
    def colourful(self) -> float:
        """How far the marker's colour is from grey and from that of its surroundings, the smaller of both [grey levels]."""
        return float(min(np.hypot(*(self.inside[1:] - 128)), np.hypot(*(self.inside[1:] - self.outside[1:]))))

    def amount(self, pixels: Image) -> Image:
        """Return how much of each pixel is the marker's.

        Parameters
        ----------
        pixels : shape ``(..., 3)``
            Pixels (y, u, v).

        Returns
        -------
        shape ``(...)``
            Parts from 0 to 1.
        """
        weight = self.direction.astype(np.float32)
        amount = cv2.transform(pixels, weight[None]) - np.float32(self.direction @ self.outside)
        if self.colourful > 10:  # a pixel as far along the line but of another colour belongs to something else
            span = (self.inside - self.outside)[1:]
            reach = np.maximum(STRANGE * float(np.hypot(*span)) * np.maximum(amount, 2 * FAINT), 12)
            du = pixels[..., 1] - np.float32(self.outside[1]) - amount * np.float32(span[0])
            dv = pixels[..., 2] - np.float32(self.outside[2]) - amount * np.float32(span[1])
            strange = (amount > FAINT) & (du * du + dv * dv > reach * reach)
            amount[strange] = 0
        return np.clip(amount, 0, 1, out=amount)


@dataclass(frozen=True)
class Blob:
    """Where a marker is.

    Attributes
    ----------
    x, y : float
        Its centre [pixels].
    mass : float
        How much of it is seen [pixels].
    box
        The box around it, (x, y, width, height).
    spread : float
        Variance of its pixels around the centre, along both directions together [pixels^2].
    """

    x: float
    y: float
    mass: float
    box: tuple[int, int, int, int]
    spread: float = nan


def window(frame: Frame, left: int, top: int, right: int, bottom: int) -> tuple[Image, int, int]:
    """Cut a window from a frame, clipped to the frame and to whole colour pixels.

    Parameters
    ----------
    frame
        The frame.
    left, top, right, bottom
        Borders of the window [pixels].

    Returns
    -------
    pixels : shape ``(h, w, 3)``
        (y, u, v) of each pixel; empty where the window lies outside of the frame.
    left, top : int
        Where the window begins after clipping.
    """
    height, width = frame.y.shape
    left, top = max(0, left) // 2 * 2, max(0, top) // 2 * 2
    right, bottom = min(width, right), min(height, bottom)
    if right - left < 2 or bottom - top < 2:
        return np.zeros((0, 0, 3), np.float32), left, top
    y = frame.y[top:bottom, left:right]
    half = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
    colour = cv2.merge([frame.u[half], frame.v[half]]).astype(np.float32)
    rows, columns = colour.shape[:2]
    large = cv2.resize(colour, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)
    return np.dstack([y.astype(np.float32), large[: bottom - top, : right - left]]), left, top


def blobs(amount: Image, least: float, most: float = inf) -> list[Blob]:
    """Find the connected patches of at least a given mass.

    Each centre is weighted by how much of a pixel is the marker. A patch that motion smears over more than its own size is
    found as well, because the threshold of its edge decreases with the peak.

    Parameters
    ----------
    amount : shape ``(h, w)``
        How much of each pixel is the marker, as `Paint.amount` returns it.
    least
        Smallest mass [pixels].
    most : optional
        Largest mass [pixels].

    Returns
    -------
    list of Blob
        The patches, in coordinates of the array.
    """
    if amount.size == 0:
        return []
    amount = np.ascontiguousarray(amount)
    edge = SEEN * min(1.0, max(float(cv2.blur(amount, (3, 3)).max()), 2 * FAINT))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((amount > edge).astype(np.uint8), connectivity=8)
    found = []
    above = np.maximum(amount - np.float32(FAINT), 0)
    for k, (x, y, w, h, area) in enumerate(stats.tolist()):
        if k == 0 or not least / 2 <= area <= FULL * most:
            continue
        margin = 2 + min(w, h) // 4
        rows, columns = slice(max(0, y - margin), y + h + margin), slice(max(0, x - margin), x + w + margin)
        part = labels[rows, columns]
        own = (part == k).astype(np.uint8)
        near = cv2.dilate(own, _square(2 * margin + 1))
        if count > 2:  # another patch may be near
            near[(part != k) & (part != 0)] = 0
        weight = above[rows, columns] * near
        if area > LARGE:
            weight[_within(own)] = 1 - FAINT
        moments = cv2.moments(weight)
        if not least <= moments["m00"] / (1 - FAINT) <= most or moments["m00"] <= 0:
            continue
        found.append(
            Blob(
                columns.start + moments["m10"] / moments["m00"],
                rows.start + moments["m01"] / moments["m00"],
                moments["m00"] / (1 - FAINT),
                (x, y, w, h),
                (moments["mu20"] + moments["mu02"]) / moments["m00"],
            )
        )
    return found


@cache
def _square(side: int) -> NDArray[np.uint8]:
    """Return a square of ones, which `cv2.dilate` takes."""
    return np.ones((side, side), np.uint8)


def _within(own: NDArray[np.uint8]) -> Mask:
    """Return the inside of a patch without gleams and holes: all inside its outline is the marker's, whatever it reflects."""
    outline = cv2.convexHull(cv2.findNonZero(own))
    full = cv2.fillConvexPoly(np.zeros_like(own), outline, 1)
    return cv2.erode(full, _square(3), iterations=2, borderValue=0).astype(bool)


def _scatter(pixels: Floats) -> Floats:
    centred = pixels - np.median(pixels, axis=0)
    # a clipped covariance, so that a highlight or a bit of rod among the pixels does not decide
    limit = 3 * np.maximum(NORMAL * np.median(np.abs(centred), axis=0), 1)
    centred = np.clip(centred, -limit, limit)
    return np.asarray(centred.T @ centred / len(pixels))
