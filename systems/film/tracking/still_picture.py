"""How a camera shakes in front of a plain wall: from all pixels that stand still, where too few corners do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Floats, Mask
from systems.film.tracking.noise import NORMAL

SMOOTH = 1.0  # pixels over which pictures are smoothed: the brightness is then linear in a shift of a pixel
LARGEST = 1.5  # pixels: larger shifts are not linear
EDGE = 4  # pixels at the border, where smoothing is not complete
MEDIAN = 61  # pictures of which the median is taken
STEEP = 3.0  # times the usual gradient, and grey levels per pixel in addition, that an edge must have
STEEPER = 1.0
MOST = 2000  # pixels that are used, the steepest first
FEWEST = 40  # pixels that are needed
STRAY = 1.6  # times the usual RMS difference from the shifted picture, above which a pixel does not stand still
SELECTIONS = 8  # of the pixels that stand still
ROUNDS = 4  # of weighting them
SURE = 4.0  # variances of the error: undoing a smaller shake would add noise
FINEST = 0.02  # pixels: a smaller shake is none


@dataclass(frozen=True)
class StillPicture:
    """What stands still in a film, and the edges by which its shifts are measured.

    Attributes
    ----------
    start : complex
        Shift of the first picture from the median one, as ``x + i y`` [pixels].
    where
        Indices (rows, columns) of the pixels that are used.
    usual : shape ``(P,)``
        Their usual brightness [grey levels].
    change : shape ``(P, 3)``
        Change of their brightness by a shift to the right and down [grey levels per pixel], and by a factor of the light.
    """

    start: complex
    where: tuple[NDArray[np.intp], NDArray[np.intp]]
    usual: Floats
    change: Floats

    @classmethod
    def of(cls, pictures: NDArray[np.uint8]) -> tuple[StillPicture, Floats] | None:
        """Find the pixels that stand still, and how far the camera shifts each picture from the first one.

        Parameters
        ----------
        pictures : shape ``(N, h, w)``
            Brightness of several pictures.

        Returns
        -------
        (StillPicture, shape ``(N, 2)``) or None
            The picture and the shifts to the right and down [pixels]; None if they are not determined, are not larger than
            their error, or are too large.
        """
        some = np.unique(np.linspace(0, len(pictures) - 1, MEDIAN).round().astype(int))
        usual = _smooth(np.median(pictures[some], axis=0).astype(np.float32))
        (rows, columns), change = _edges(usual)
        off = np.stack([_smooth(picture)[rows, columns] for picture in pictures]).astype(np.float64) - usual[rows, columns]
        use: Mask = np.ones(len(rows), bool)
        for _ in range(SELECTIONS):
            if use.sum() < FEWEST:
                return None
            shifts = _fits(change[use], off[:, use])
            rest = np.sqrt(np.mean((off - shifts @ change.T) ** 2, axis=0))
            use = rest <= STRAY * np.median(rest[use])
        error = 0.0
        for place in (rows, columns):  # a part of the picture that moves by itself disagrees with the rest
            half = place < np.median(place[use])
            halves = [use & half, use & ~half]
            if min(part.sum() for part in halves) < FEWEST / 4:
                return None
            one, other = (_fits(change[part], off[:, part])[:, :2] for part in halves)
            error = max(error, float((one - other).std(axis=0).max()) / 2)
        shake = shifts[:, :2] - shifts[:, :2].mean(axis=0)
        size = float(shake.std())
        if not (size > FINEST and size**2 > SURE * error**2 and np.abs(shake).max() < LARGEST):
            return None
        where = rows[use], columns[use]
        still = cls(complex(*shifts[0, :2]), where, usual[where].astype(np.float64), change[use])
        return still, shifts[:, :2] - shifts[0, :2]

    def shift(self, picture: NDArray[np.uint8]) -> complex:
        """Return how far the camera shifts a picture ``(h, w)`` from the first one, as ``x + i y`` [pixels]."""
        x, y = _fits(self.change, (_smooth(picture)[self.where] - self.usual)[None])[0, :2]
        return complex(x, y) - self.start


def _edges(usual: NDArray[np.float32]) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], Floats]:
    """Return the indices of the steepest pixels of a picture, and how shifts and light change their brightness."""
    right, down = (cv2.Sobel(usual, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    steepness = np.zeros_like(usual)
    inner = (slice(EDGE, -EDGE),) * 2
    steepness[inner] = np.hypot(right, down)[inner]
    least = STEEP * float(np.median(steepness)) + STEEPER
    if steepness.size > MOST:
        least = max(least, float(np.partition(steepness, -MOST, axis=None)[-MOST]))
    rows, columns = np.nonzero(steepness >= least)
    where = rows, columns
    return where, np.stack([-right[where], -down[where], usual[where]], axis=1).astype(np.float64)


def _smooth(picture: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), SMOOTH), np.float32)


def _fits(change: Floats, off: Floats) -> Floats:
    """Return the shifts and the light that explain the brightness of most pixels of each picture, ``(N, 3)``, from none on.

    What moves by itself, such as a marker, has the strongest edges, so that the squares of all differences would follow it.
    """
    squares = (change[:, :, None] * change[:, None, :]).reshape(len(change), -1)
    fits: Floats = np.zeros((len(off), change.shape[1]))
    for _ in range(ROUNDS):
        rest = off - fits @ change.T
        noise = NORMAL * np.median(np.abs(rest), axis=1, keepdims=True)
        weight = 1 / (1 + (rest / (2 * noise + 1e-6)) ** 2)
        normal = (weight @ squares).reshape(-1, change.shape[1], change.shape[1])
        fits = (np.linalg.pinv(normal, hermitian=True) @ ((weight * off) @ change)[:, :, None])[:, :, 0]
    return fits
