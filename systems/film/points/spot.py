"""A spot of one colour or shade: how it is told from its surroundings, and where it is."""

from __future__ import annotations

from itertools import pairwise
from math import hypot, log

import numpy as np

from systems.film.opencv import cv2
from systems.film.points.looks import Box, Sight, unlike
from systems.film.tracking.arrays import Image, Mask
from systems.film.tracking.decode import Frame
from systems.film.tracking.markers import Paint, blobs, window

LEAST = 0.15  # of the usual area: what is smaller is no sight of the marker
REACH = (0.25, 0.6)  # of the picture's shorter side: how far from a click a marker ends, and at most
LARGEST = 0.5  # part of the picture around a click that a marker may cover
NEAR = 6  # pixels by which a click may miss a small marker
CONTRAST = 20.0  # grey levels by which a spot beside the click must differ from its surroundings
FAINTEST = 6.0  # grey levels by which any spot must differ from its surroundings
THRESHOLDS = 4 * 1.2 ** np.arange(22)  # of unlikeness, in grey levels: from noise to the strongest contrast
FEWEST = 3  # thresholds in a row for which a region must stay the same, to stand out from its surroundings
LEAP = 1.6  # factor by which the area grows at once if the region runs into something else
SMALLEST = 4  # pixels
FAINT = 0.2  # amount of a pixel below which it counts as surroundings, as for blobs
PULLED = 1.5  # times the pull of what is around a marker: the pull of what its edge mixes with
MANY = 100  # surroundings that are remembered
WIDER = 1.5  # extent of a thing behind the marker, in units of the marker's
RENEWED = 5  # frames after which the colours are taken anew, because the light may have changed
WHOLE = 1.25  # factor by which the area may then differ from the usual one
VAGUE = 2.5  # factor by which the area by colour may differ from that of the region


class Spot:
    """A marker that differs from its surroundings by its colour or its brightness.

    Parameters
    ----------
    picture : shape ``(h, w, 3)``
        Pixels (y, u, v) around the marker.
    mask : shape ``(h, w)``
        Its pixels.
    """

    def __init__(self, picture: Image, mask: Mask) -> None:
        self.paint = Paint.of(picture, mask)
        self.mass, self.radius = float(mask.sum()), float(np.sqrt(mask.sum() / np.pi))
        rows, columns = np.nonzero(mask)
        self.side = 2 * round(WIDER * max(np.ptp(rows), np.ptp(columns)) / 2) + 7
        middle = columns.mean(), rows.mean()
        own = blobs(self._amount(picture), 0.3 * self.mass)
        own = [blob for blob in own if hypot(blob.x - middle[0], blob.y - middle[1]) < self.radius + 1]
        self._age = 0
        self.distinct = any(1 / VAGUE < blob.mass / self.mass < VAGUE for blob in own)
        if self.distinct:
            self.mass = max(blob.mass for blob in own)
            self.radius = float(np.sqrt(self.mass / np.pi))
        self._pulls = [self._pull(picture, middle)]

    @property
    def contrast(self) -> float:
        """How much it differs from its surroundings [grey levels]."""
        return float(unlike(self.paint.inside, self.paint.outside))

    @property
    def error(self) -> float:
        """Error of its centre because of what looks like it around it [pixels]."""
        return PULLED * float(np.median(self._pulls))

    def _pull(self, picture: Image, centre: tuple[float, float]) -> float:
        """Return how far things just outside of the marker would pull its centre, if they were beside it [pixels]."""
        rows, columns = np.indices(picture.shape[:2])
        x, y = columns - centre[0], rows - centre[1]
        off = np.hypot(x, y)
        beside = np.maximum(self._amount(picture) - FAINT, 0) * ((off > 1.4 * self.radius + 2) & (off < 2 * self.radius + 4))
        return float(np.hypot((beside * x).sum(), (beside * y).sum()) / ((1 - FAINT) * self.mass * np.sqrt(2)))

    def _amount(self, picture: Image) -> Image:
        """Return how much of each pixel is the marker, beyond what a larger thing behind it would be."""
        amount = self.paint.amount(np.ascontiguousarray(picture, np.float32))
        behind = cv2.morphologyEx(cv2.blur(amount, (5, 5)), cv2.MORPH_OPEN, np.ones((self.side, self.side), np.uint8))
        return np.asarray(np.maximum(amount - behind, 0) / np.maximum(1 - behind, 0.1), np.float32)

    def find(self, frame: Frame, box: Box, turn: float) -> list[Sight]:
        """Return the spots of this colour in a part of a frame; one that the border of the frame cuts is left out."""
        view, left, top = window(frame, *box)
        if view.size == 0:
            return []
        height, width = frame.y.shape
        amount = self._amount(view)
        found = []
        for blob in blobs(amount, LEAST * self.mass):
            x, y, w, h = blob.box
            if x + left > 0 and y + top > 0 and x + left + w < width and y + top + h < height:
                cut = x == 0 or y == 0 or x + w >= view.shape[1] or y + h >= view.shape[0]
                peak = float(cv2.blur(amount[y : y + h, x : x + w], (2, 2)).max())
                place = blob.x + left, blob.y + top
                found.append(Sight(*place, blob.mass / self.mass, peak=peak, cut=cut, spread=blob.spread))
        return found

    def covers(self, frame: Frame, point: tuple[float, float]) -> bool:
        """Return whether the pixel at a point is the marker's, rather than one beside it."""
        x, y = round(point[0]), round(point[1])
        view, left, top = window(frame, x - 1, y - 1, x + 2, y + 2)
        return bool(self.paint.amount(view)[y - top, x - left] > 0.5)

    def learn(self, frame: Frame, sight: Sight) -> None:
        """Follow slow changes of the light by taking the colours anew now and then, while the whole marker is seen."""
        self._age += 1
        if self._age < RENEWED or abs(log(sight.size)) > log(WHOLE):
            return
        self._age = 0
        reach = round(3 * self.radius) + 6
        x, y = round(sight.x), round(sight.y)
        view, left, top = window(frame, x - reach, y - reach, x + reach + 1, y + reach + 1)
        mask = (self._amount(view) > 0.5).astype(np.uint8)
        _, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
        off = np.hypot(*(centres[1:] - (sight.x - left, sight.y - top)).T)
        if not len(off) or off.min() > 0.3 * self.radius + 0.5:
            return
        own = 1 + int(off.argmin())
        area, height, width = float(stats[own][4]), *view.shape[:2]
        x, y, w, h = (int(v) for v in stats[own][:4])
        if 1 / WHOLE < area / self.mass < WHOLE and x > 2 and y > 2 and x + w < width - 2 and y + h < height - 2:
            self.paint = Paint.of(view, np.asarray(labels == own))
            self._pulls = [*self._pulls[-MANY:], self._pull(view, (sight.x - left, sight.y - top))]


def spot_at(frame: Frame, point: tuple[float, float]) -> Spot | None:
    """Return the spot at a point, or next to it; None if nothing there stands out from its surroundings.

    The spot is the set of connected pixels of similar colour whose area changes least as the colours may differ more, like a
    maximally stable region.

    Parameters
    ----------
    frame
        The frame.
    point
        x and y on the marker [pixels].

    References
    ----------
    Matas, Chum, Urban and Pajdla, Image Vis. Comput. 22, 761 (2004).
    """
    return next(
        (spot for part in REACH if (spot := _spot_within(frame, point, max(24, round(part * min(frame.y.shape)))))), None
    )


def _spot_within(frame: Frame, point: tuple[float, float], reach: int) -> Spot | None:
    """Return the spot at a point that lies within a distance of it."""
    x, y = round(point[0]), round(point[1])
    picture, left, top = window(frame, x - reach, y - reach, x + reach + 1, y + reach + 1)
    column, row = x - left, y - top
    around = [(column + i, row + j) for i in (0, -2, 2) for j in (0, -2, 2)]
    seeds = [(i, j) for i, j in around if 0 <= i < picture.shape[1] and 0 <= j < picture.shape[0]]
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    rows, columns = slice(max(0, row - NEAR), row + NEAR + 1), slice(max(0, column - NEAR), column + NEAR + 1)
    off = unlike(picture[rows, columns], np.median(rim, axis=0))
    if off.max() > CONTRAST:
        j, i = np.unravel_index(int(off.argmax()), off.shape)
        seeds.append((columns.start + int(i), rows.start + int(j)))
    found = [region for seed in seeds if (region := _stable(picture, seed)) is not None]
    for mask, _ in sorted(found, key=lambda region: -region[1]):
        near = np.hypot(*(np.argwhere(mask) - (row, column)).T).min() <= NEAR
        if near and mask.mean() < LARGEST and (spot := Spot(picture, mask)).distinct and spot.contrast > FAINTEST:
            return spot
    return None


def _stable(picture: Image, seed: tuple[int, int]) -> tuple[Mask, int] | None:
    """Return the most stable connected region around a pixel that does not reach the border of the picture.

    The number says for how many thresholds it is stable.
    """
    column, row = seed
    around = picture[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].reshape(-1, 3)
    off = unlike(picture, np.median(around, axis=0) if _alike(around) else picture[row, column])
    areas: list[int] = []
    masks: list[Mask] = []
    for threshold in THRESHOLDS:
        alike = (off <= threshold).astype(np.uint8)
        alike[row, column] = 1
        area, _, _, (x, y, w, h) = cv2.floodFill(alike, None, seed, 2, flags=4)
        if x == 0 or y == 0 or x + w == picture.shape[1] or y + h == picture.shape[0]:
            break
        areas.append(area)
        masks.append(np.asarray(alike == 2))
    # from one leap of the area to the next, the longest range of thresholds
    leaps = [k for k, (a, b) in enumerate(pairwise(areas), 1) if b > LEAP * a and a >= SMALLEST]
    first = next((k for k, area in enumerate(areas) if area >= SMALLEST), len(areas))
    ranges = [(a, b) for a, b in pairwise([first, *leaps, len(areas)]) if b > a]
    if not ranges:
        return None
    a, b = max(ranges, key=lambda ends: ends[1] - ends[0])
    if b - a < FEWEST:
        return None
    edge = max(a, int(np.searchsorted(THRESHOLDS, THRESHOLDS[b - 1] / 2)))  # half way from its colour to what is around it
    return _filled(masks[edge]), b - a


def _alike(pixels: Image) -> bool:
    return bool(np.ptp(pixels, axis=0).max() < CONTRAST)


def _filled(mask: Mask) -> Mask:
    """Return the mask without holes, such as a gleam."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED).astype(bool)
