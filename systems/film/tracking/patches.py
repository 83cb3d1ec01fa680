"""Patches of one colour or shade in a picture, which may be markers."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Mask

SECTORS = 12  # sectors of the circle of hues, each of which overlaps half of its neighbours
LEVELS = (10, 16, 24, 36, 54, 80)  # grey levels of colourfulness, from just above the artefacts of compression
SHADES = (20, 40, 80)  # grey levels brighter or darker than the surroundings
SMALLEST, LARGEST = 6, 0.03  # area of a marker: in pixels of the picture, and as a part of the picture


@dataclass(frozen=True)
class Patch:
    """A compact patch of one colour or shade.

    Attributes
    ----------
    mask : shape ``(h, w)``
        Its pixels.
    box
        The box around it, (x, y, width, height).
    centre
        x and y of its centre [pixels of the picture].
    likeness : float
        How much it looks like a marker, from 0 to 1.
    coloured : bool
        Whether it was found by its colour rather than its brightness.
    """

    mask: Mask
    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    likeness: float
    coloured: bool

    @property
    def area(self) -> int:
        """Its area [pixels of the picture]."""
        return int(self.mask.sum())


def coloured_patches(picture: NDArray[np.uint8]) -> list[Patch]:
    """Find patches more colourful than the picture as a whole, or of another hue than their surroundings.

    Parameters
    ----------
    picture : shape ``(h, w, 3)``
        Pixels (y, u, v).

    Returns
    -------
    list of Patch
        The likeliest of those that overlap.
    """
    colour = cv2.GaussianBlur(picture[..., 1:].astype(np.float32), (3, 3), 0)
    colour -= np.median(colour, axis=(0, 1))
    strength, hue = cv2.cartToPolar(np.ascontiguousarray(colour[..., 1]), np.ascontiguousarray(colour[..., 0]))
    sectors = [np.abs((hue - k * 2 * pi / SECTORS + pi) % (2 * pi) - pi) < 2 * pi / SECTORS for k in range(SECTORS)]
    found = []
    for level in LEVELS:
        strong = strength > level
        if not strong.any():
            break
        for sector in sectors:
            found += _compact(strong & sector, np.asarray(strength, np.float32), True)
    return _distinct(found)


def shaded_patches(picture: NDArray[np.uint8]) -> list[Patch]:
    """Find patches brighter or darker than their surroundings.

    Parameters
    ----------
    picture : shape ``(h, w, 3)``
        Pixels (y, u, v).

    Returns
    -------
    list of Patch
        The likeliest of those that overlap.
    """
    y = cv2.GaussianBlur(picture[..., 0].astype(np.float32), (3, 3), 0)
    side = 2 * (min(y.shape) // 6) + 1
    contrast = y - cv2.blur(y, (side, side))
    found = []
    for level in SHADES:
        for sign in (1, -1):
            found += _compact(sign * contrast > level, np.abs(contrast), False)
    return _distinct(found)


def _compact(mask: Mask, strength: NDArray[np.float32], coloured: bool) -> list[Patch]:
    """Return the roughly round pieces of a mask."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))  # most masks are small
    if width * height < SMALLEST:
        return []
    filled = np.ascontiguousarray(mask[top : top + height, left : left + width]).view(np.uint8)
    _, labels, stats, centres = cv2.connectedComponentsWithStats(filled, connectivity=4)
    centres += (left, top)
    found = []
    for k, (x, y, w, h, area) in enumerate(stats.tolist()):
        if k == 0 or not SMALLEST <= area <= LARGEST * mask.size or max(w, h) > 3 * min(w, h) + 2:
            continue
        own = labels[y : y + h, x : x + w] == k
        moments = cv2.moments(own.astype(np.uint8), binaryImage=True)
        second = (moments["mu20"] + moments["mu02"]) / max(moments["m00"], 1) ** 2
        # for a disc, the most compact shape, mu20 + mu02 = area^2 / (2 pi)
        roundness = min(1.0, 1 / (2 * pi * max(second, 1e-9)))
        if roundness < 0.6:
            continue
        x, y = x + left, y + top
        whole = np.zeros(mask.shape, bool)
        whole[y : y + h, x : x + w] = own
        rim = cv2.dilate(_padded(whole, x, y, w, h), np.ones((3, 3), np.uint8)).astype(bool)
        part = strength[max(0, y - 3) : y + h + 3, max(0, x - 3) : x + w + 3]
        core = whole[max(0, y - 3) : y + h + 3, max(0, x - 3) : x + w + 3]
        around = ~rim
        inner = float(part[core].mean())
        outer = float(part[around].mean()) if around.any() else inner
        contrast = np.clip((inner - outer) / max(inner, 1e-9), 0.05, 1)
        likeness = roundness**2 * contrast * min(1.0, inner / 40)
        found.append(Patch(whole, (x, y, w, h), (float(centres[k][0]), float(centres[k][1])), float(likeness), coloured))
    return found


def _padded(whole: Mask, x: int, y: int, w: int, h: int) -> NDArray[np.uint8]:
    """Return the mask in a box with a margin of 3 pixels, as bytes."""
    return whole[max(0, y - 3) : y + h + 3, max(0, x - 3) : x + w + 3].astype(np.uint8)


def _distinct(patches: list[Patch]) -> list[Patch]:
    """Return the likeliest of patches that share most of their pixels."""
    kept: list[Patch] = []
    for patch in sorted(patches, key=lambda patch: -patch.likeness):
        if not any(_overlap(patch, other) > 0.4 for other in kept):
            kept.append(patch)
    return kept


def _overlap(a: Patch, b: Patch) -> float:
    ax, ay, aw, ah = a.box
    bx, by, bw, bh = b.box
    w, h = min(ax + aw, bx + bw) - max(ax, bx), min(ay + ah, by + bh) - max(ay, by)
    return 0.0 if w <= 0 or h <= 0 else w * h / (aw * ah + bw * bh - w * h)
