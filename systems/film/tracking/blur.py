"""What motion during the exposure does to the centre of a marker, because what is around the marker is not all alike."""

from __future__ import annotations

from math import ceil, hypot

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Floats, Image, Mask
from systems.film.tracking.markers import Blob, Paint, blobs

AROUND = 4.0  # radii around a marker that its picture shows
STEPS = 6  # per radius: blur along ways that differ by less is alike
LEAST = 2.0  # pixels per frame: slower markers are hardly blurred
USUAL = 90  # percentile of the speeds that counts as fast: a larger one may be that of a sight of something else
FRAMES = 16  # from which the exposure is estimated
HALVINGS = 4  # of the step of the search for it
LONGER = 0.7  # of the misfit without any blur, which blur must at least remove
WHOLE = 0.25  # relative deviation of the picture's marker from the usual area, beyond which it is partly hidden


class Sharp:
    """A marker in a frame in which it hardly moved, from which blur is computed.

    Parameters
    ----------
    picture : shape ``(h, w, 3)``
        Pixels (y, u, v), with the marker in the middle.
    paint
        What distinguishes it from its surroundings.
    mass, radius : float
        Its area and its radius [pixels].
    """

    def __init__(self, picture: Image, paint: Paint, mass: float, radius: float) -> None:
        self.picture, self.paint, self.mass, self.radius = picture, paint, mass, radius
        self._step = max(radius / STEPS, 0.5)
        self._known: dict[tuple[int, int], tuple[float, float, float]] = {}
        still = self._found(0, 0, ((picture.shape[1] - 1) / 2, (picture.shape[0] - 1) / 2))
        self._still = (0.0, 0.0) if still is None else (still.x, still.y)
        self._known[0, 0] = (0.0, 0.0, float("nan") if still is None else still.spread)

    def blurred(self, ways: Floats) -> Floats:
        """Return how far blur displaces the centre of the marker, and how far it spreads the marker.

        The picture is blurred along each way, and the marker found in it as in any frame. If the marker's surroundings have
        one colour, or are the same on opposite sides, the centre stays where it is. A bob that shines on one side moves it.

        Parameters
        ----------
        ways : shape ``(T, 2)``
            How far the marker moves to the right and down during the exposure [pixels]; NaN where unknown.

        Returns
        -------
        shape ``(T, 3)``
            Displacements to the right and down [pixels], and `Blob.spread`; 0, 0 and NaN where the way is unknown or the
            marker is not found.
        """
        result = np.tile([0.0, 0.0, np.nan], (len(ways), 1))
        for k in np.flatnonzero(np.isfinite(ways).all(axis=1)):
            i, j = (round(float(way) / self._step) for way in ways[k])
            key = (i, j) if (i, j) >= (0, 0) else (-i, -j)  # blur is the same forwards and backwards
            if key not in self._known:
                blob = self._found(key[0] * self._step, key[1] * self._step, self._still)
                x, y = self._still
                self._known[key] = (0.0, 0.0, np.nan) if blob is None else (blob.x - x, blob.y - y, blob.spread)
            result[k] = self._known[key]
        return result

    def _found(self, right: float, down: float, near: tuple[float, float]) -> Blob | None:
        """Return the marker in the picture that is blurred along a way."""
        blurred = cv2.filter2D(self.picture, -1, _streak(right, down), borderType=cv2.BORDER_REPLICATE)
        seen = blobs(self.paint.amount(np.asarray(blurred, np.float32)), 0.3 * self.mass)
        return min(seen, key=lambda blob: hypot(blob.x - near[0], blob.y - near[1]), default=None)


def _streak(right: float, down: float) -> NDArray[np.float32]:
    """Return the kernel that blurs a picture evenly along a way [pixels]."""
    reach = ceil(max(abs(right), abs(down)) / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    parts = np.linspace(-0.5, 0.5, 2 * ceil(hypot(right, down)) + 1) if right or down else np.zeros(1)
    x, y = reach + parts * right, reach + parts * down
    i, j = x.astype(int), y.astype(int)
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        np.add.at(kernel, (j + b, i + a), (1 - np.abs(x - i - a)) * (1 - np.abs(y - j - b)) / len(parts))
    return kernel


def displacements(sharp: Sharp, velocity: Floats, spread: Floats, mass: Floats, step: float) -> Floats:
    """Return how far blur displaces a marker in each frame, for the exposure that explains how far it spreads the marker.

    Parameters
    ----------
    sharp
        The marker while it hardly moves.
    velocity : shape ``(T, 2)``
        Velocity to the right and down [pixels/s]; NaN where unknown.
    spread, mass : shape ``(T,)``
        `Blob.spread` and `Blob.mass` in each frame.
    step
        Time between two frames [s], which no exposure exceeds.

    Returns
    -------
    shape ``(T, 2)``
        Displacements to the right and down [pixels]; 0 where the marker is hardly blurred, or too little is known.
    """
    none = np.zeros((len(spread), 2))
    ways = velocity * step
    seen = np.isfinite(spread) & np.isfinite(ways).all(axis=1)
    if seen.sum() < 2 * FRAMES or abs(sharp.mass / np.nanmedian(mass) - 1) > WHOLE:
        return none
    speed = np.where(seen, np.hypot(*ways.T), 0.0)
    usual = float(np.percentile(speed[seen], USUAL))
    fast = _evenly(np.asarray((speed > max(LEAST, 0.5 * usual)) & (speed < 1.2 * usual)))
    if len(fast) < FRAMES / 2:
        return none

    def misfit(part: float) -> float:
        off = np.abs(sharp.blurred(part * ways[fast])[:, 2] - spread[fast])
        return float(np.nanmedian(off)) if np.isfinite(off).any() else np.inf

    known = {part: misfit(part) for part in np.linspace(0, 1, 5).tolist()}
    for k in range(HALVINGS):
        best = min(known, key=known.__getitem__)
        known |= {part: misfit(part) for part in (best - 0.125 / 2**k, best + 0.125 / 2**k) if 0 <= part <= 1}
    best = min(known, key=known.__getitem__)
    return sharp.blurred(best * ways)[:, :2] if known[best] < LONGER * known[0.0] else none


def _evenly(use: Mask) -> NDArray[np.intp]:
    """Return the indices of at most `FRAMES` frames, spread evenly over those to use."""
    where = np.flatnonzero(use)
    return where[np.unique(np.linspace(0, max(len(where) - 1, 0), min(FRAMES, len(where))).round().astype(int))]
