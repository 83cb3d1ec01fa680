"""The first seconds of a film at low resolution, enough to see what swings in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.film.opencv import cv2
from systems.film.tracking.anchors import Anchors
from systems.film.tracking.arrays import Floats
from systems.film.tracking.decode import FilmReader, Frame
from systems.film.tracking.still_picture import StillPicture
from systems.film.tracking.swing import swing_of

SPAN = 12.0  # seconds: several swings of most pendulums; two swings of the longest, 25 m, take 20 s
RATE = 15.0  # pictures per second: six per swing of the fastest pendulum expected
WIDTH = 480  # pixels
FEWEST = 12  # pictures that are needed, 1.5 per parameter of an oscillation with a drift


@dataclass(frozen=True)
class Sample:
    """Pictures from the start of a film, and what stands still in them.

    Attributes
    ----------
    t : shape ``(N,)``
        Times of the pictures [s].
    pictures : shape ``(N, h, w, 3)``
        Pixels (y, u, v).
    anchors
        Points that stand still.
    still
        All that stands still, if there are no anchors; None if it does not show that the camera shakes.
    shift : shape ``(N, 2)``
        How far the camera shifts the middle of each picture from the first [pixels of the picture].
    scale : shape ``(2,)``
        Pixels of the film per pixel of a picture, across and down.
    """

    t: Floats
    pictures: NDArray[np.uint8]
    anchors: Anchors
    still: StillPicture | None
    shift: Floats
    scale: Floats

    @classmethod
    def of(cls, film: FilmReader, span: float = SPAN) -> Sample:
        """Read the start of a film.

        Parameters
        ----------
        film
            The film.
        span : default SPAN
            How much of it to read [s].

        Raises
        ------
        InputError
            If there are too few frames, or all of them are alike.
        """
        count = 0
        times: list[float] = []
        pictures: list[NDArray[np.uint8]] = []
        for frame in film.frames():
            if times and frame.t - times[0] > span:
                break
            count += 1
            if not times or frame.t - times[-1] > 0.75 / RATE:
                times.append(frame.t)
                pictures.append(_shrink(frame))
        if len(times) < FEWEST:
            raise InputError(
                f"{film.path} has {count} frames in {times[-1] - times[0]:.2g} s, too few for a swing; give a longer film"
            )
        if all(np.array_equal(a, b) for a, b in pairwise(pictures)):
            raise InputError(f"all frames of {film.path} are identical, so nothing swings; give a film of a moving pendulum")
        stack = np.stack(pictures)
        scale = np.array([film.width / stack.shape[2], film.height / stack.shape[1]])
        anchors = Anchors(np.ascontiguousarray(stack[0, ..., 0]))
        tracks = anchors.settle(np.ascontiguousarray(stack[..., 0]))
        shift = _shifts(anchors, tracks, complex(stack.shape[2] / 2, stack.shape[1] / 2))
        if _swings(np.array(times), shift):
            anchors.points, shift = anchors.points[:0], np.zeros_like(shift)
        still = None
        if not len(anchors.points):
            seen = StillPicture.of(np.ascontiguousarray(stack[..., 0]))
            if seen is not None and not _swings(np.array(times), seen[1], 0.0):
                still, shift = seen
        return cls(np.array(times), stack, anchors, still, shift, scale)

    @property
    def middle(self) -> complex | None:
        """Middle of what shows how the camera moves, as ``x + i y`` [pixels of a picture]; None if nothing does."""
        if len(self.anchors.points):
            return complex(*self.anchors.points[:, 0].mean(axis=0))
        return None if self.still is None else 0j

    def camera(self, picture: NDArray[np.uint8]) -> tuple[complex, complex, float]:
        """Estimate the camera's motion from the first picture to another, as `Anchors.camera` does."""
        if self.still is not None:
            return 1 + 0j, self.still.shift(picture), 0.0
        return self.anchors.camera(self.anchors.follow(picture))

    def to_film(self, points: Floats) -> Floats:
        """Convert coordinates ``(..., 2)`` of a picture to those of the film."""
        return np.asarray((points + 0.5) * self.scale - 0.5)


def _shrink(frame: Frame) -> NDArray[np.uint8]:
    """Return a frame at the resolution of its colours, or 480 pixels wide if that is less."""
    rows, columns = frame.u.shape
    width = min(columns, WIDTH)
    size = (width, max(1, round(rows * width / columns)))
    return np.dstack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (frame.y, frame.u, frame.v)])


def _shifts(anchors: Anchors, tracks: NDArray[np.complex128], middle: complex) -> Floats:
    """Return the shift of the middle of each picture from the first; where unknown, that of the previous picture."""
    shifts = np.zeros((len(tracks), 2))
    for i in range(1, len(tracks)):
        a, b, _ = anchors.camera(tracks[i])
        moved = a * middle + b - middle
        shifts[i] = (moved.real, moved.imag) if np.isfinite(moved) else shifts[i - 1]
    return shifts


def _swings(t: Floats, shift: Floats, least: float = 1.0) -> bool:
    """Return whether a pendulum in front of a plain wall was taken for what stands still: no camera moves as regularly.

    Regular motions of less than the least number of pixels are ignored.
    """
    if np.abs(shift).max() < least:
        return False
    swing, _ = swing_of(t, shift)
    return swing.coherence > 0.95 and swing.size > least
