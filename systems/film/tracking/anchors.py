"""Points of the picture that stand still, and so show how the camera moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Floats, Mask

CELLS = 16, 16  # at most one point is taken from each cell, so that no single object outvotes the rest
FEWEST = 6  # points that must agree, four more than a similarity needs
OFTEN = 0.75  # part of the pictures in which a point must be found; a hand may hide it in the others
LOYAL = 0.5  # pixels of the small picture by which a still point may deviate from the others, most of the time
SPREAD = 0.2  # of the picture's longer side, across all points: points closer together tell nothing of the rest of the picture
FLOW: dict[str, Any] = {"winSize": (15, 15), "maxLevel": 2, "criteria": (3, 20, 0.005)}


@dataclass
class Anchors:
    """Corners of the first picture, followed into later ones.

    The camera's motion is a similarity in complex notation: ``z -> a z + b`` maps points ``x + i y`` of the first picture to
    a later one.

    Attributes
    ----------
    first : shape ``(h, w)``
        Brightness of the first picture.
    points : shape ``(N, 1, 2)``
        Corners in the first picture [pixels].
    """

    first: NDArray[np.uint8]
    points: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.first.shape
        smooth = cv2.GaussianBlur(self.first, (3, 3), 0)
        strength = cv2.cornerMinEigenVal(smooth, 5)
        least = 3 * float(np.median(strength)) + 1e-5
        found = []
        for column in range(CELLS[0]):
            for row in range(CELLS[1]):
                left, top = width * column // CELLS[0], height * row // CELLS[1]
                cell = strength[top : height * (row + 1) // CELLS[1], left : width * (column + 1) // CELLS[0]]
                _, value, _, (x, y) = cv2.minMaxLoc(cell)
                inside = 8 <= left + x < width - 8 and 8 <= top + y < height - 8
                if value > least and inside:
                    found.append((left + x, top + y))
        self.points = np.array(found, np.float32).reshape(-1, 1, 2)

    def follow(self, picture: NDArray[np.uint8]) -> NDArray[np.complex128]:
        """Return where the points are in a picture ``(h, w)``, as ``x + i y``; NaN for points that are not found."""
        if not len(self.points):
            return np.zeros(0, complex)
        moved, status, _ = cv2.calcOpticalFlowPyrLK(self.first, picture, self.points, None, **FLOW)  # type: ignore[call-overload]
        z = moved[:, 0, 0].astype(complex) + 1j * moved[:, 0, 1]
        return np.where(status[:, 0] == 1, z, np.nan)

    def settle(self, pictures: NDArray[np.uint8]) -> NDArray[np.complex128]:
        """Keep only the points that stand still relative to each other, or none if there are too few.

        Parameters
        ----------
        pictures : shape ``(N, h, w)``
            Brightness of several pictures.

        Returns
        -------
        shape ``(N, M)``
            Where the kept points are in each picture, as ``x + i y``; NaN where they are not found.
        """
        if len(self.points) < FEWEST:
            self.points = self.points[:0]
            return np.zeros((len(pictures), 0), complex)
        tracks = np.array([self.follow(picture) for picture in pictures])
        start = self.points[:, 0, 0].astype(complex) + 1j * self.points[:, 0, 1]
        motion = tracks - start
        loyal = np.abs(motion - _median(motion)[:, None]) < 3 * LOYAL  # a roll of the camera moves points apart a little
        chosen = np.nan_to_num(loyal).mean(axis=0) > OFTEN
        for _ in range(3):
            fits = [similarity(start[chosen], now[chosen]) for now in tracks]
            stray = [np.abs(now - fit[0] * start - fit[1]) for now, fit in zip(tracks, fits, strict=True) if fit is not None]
            if chosen.sum() < FEWEST or len(stray) < OFTEN * len(tracks):
                self.points = self.points[:0]
                return tracks[:, :0]
            chosen = (np.nan_to_num(np.array(stray), nan=np.inf) < LOYAL).mean(axis=0) > OFTEN
        near = (
            float(np.hypot(*np.ptp(self.points[chosen, 0], axis=0))) < SPREAD * max(self.first.shape) if chosen.any() else True
        )
        chosen &= not (chosen.sum() < FEWEST or near)
        self.points = self.points[chosen]
        return tracks[:, chosen]

    def camera(self, now: NDArray[np.complex128]) -> tuple[complex, complex, float]:
        """Estimate the camera's motion from the first picture to another.

        Parameters
        ----------
        now : shape ``(N,)``
            Where the points are in the other picture, from `follow`.

        Returns
        -------
        a, b : complex
            The similarity ``z -> a z + b``; NaN if too few points are found.
        noise : float
            Standard deviation of a; NaN if too few points are found.
        """
        if len(self.points) < FEWEST:
            return complex(np.nan), complex(np.nan), np.nan
        start = self.points[:, 0, 0].astype(complex) + 1j * self.points[:, 0, 1]
        return similarity(start, now) or (complex(np.nan), complex(np.nan), np.nan)


def similarity(start: NDArray[np.complex128], now: NDArray[np.complex128]) -> tuple[complex, complex, float] | None:
    """Fit the rotation, scale and shift that map points to where they are now, without outliers.

    Parameters
    ----------
    start : shape ``(N,)``
        Points before, as ``x + i y``.
    now : shape ``(N,)``
        The same points now; NaN where unknown.

    Returns
    -------
    (a, b, noise) or None
        The similarity ``z -> a z + b`` and the standard deviation of a; None if too few points agree.
    """
    use: Mask = np.isfinite(now)
    fit: tuple[complex, complex, float] | None = None
    for _ in range(4):
        if use.sum() < FEWEST:
            return None
        x, y = start[use], now[use]
        centred = x - x.mean()
        spread = float((np.abs(centred) ** 2).sum())
        a = complex((np.conj(centred) * (y - y.mean())).sum() / spread)
        b = complex(y.mean() - a * x.mean())
        stray = np.abs(now - a * start - b)
        typical = _middle(stray[use])
        fit = a, b, typical / np.sqrt(spread)
        with np.errstate(invalid="ignore"):
            use = stray < max(3 * typical, 0.05)
    return fit


def _middle(x: Floats) -> float:
    """Return the median of a few numbers, several times as fast as `numpy.median`."""
    ordered = np.sort(x)
    return float(ordered[(len(x) - 1) // 2] + ordered[len(x) // 2]) / 2


def _median(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    rows: Floats = np.nan_to_num(np.stack([z.real, z.imag]), nan=0.0)
    return np.median(rows[0], axis=1) + 1j * np.median(rows[1], axis=1)
