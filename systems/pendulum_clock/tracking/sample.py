"""The first seconds of a film, small: enough to see what swings in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.pendulum_clock.tracking.anchors import Anchors
from systems.pendulum_clock.tracking.decode import Film, Frame
from systems.pendulum_clock.tracking.markers import Floats
from systems.pendulum_clock.tracking.swing import swing_of

SPAN = 12.0  # seconds: several swings of any clock; two of the longest, 25 m, are 20 s
RATE = 15.0  # pictures a second: six for each swing of the fastest clock there is
WIDTH = 480  # pixels
FEWEST = 12  # pictures: 1.5 for each number that an oscillation with a drift takes


@dataclass(frozen=True)
class Sample:
    """Pictures ``(N, h, w, 3)`` of (y, u, v), their times, and what stands still in them.

    shift: ``(N, 2)``, how far the camera shifts the middle of each picture from the first, in its pixels. scale: pixels of
    the film, across and down, to one of a picture.
    """

    t: Floats
    pictures: NDArray[np.uint8]
    anchors: Anchors
    shift: Floats
    scale: Floats

    @classmethod
    def of(cls, film: Film, span: float = SPAN) -> Sample:
        """Of the start of a film. Raises InputError where all of its pictures are alike."""
        count = 0
        times: list[float] = []
        pictures: list[NDArray[np.uint8]] = []
        for frame in film.frames():
            if times and frame.t - times[0] > span:
                break
            count += 1
            if not times or frame.t - times[-1] > 0.75 / RATE:
                times.append(frame.t)
                pictures.append(shrink(frame))
        if len(times) < FEWEST:
            raise InputError(
                f"{film.path} has {count} frames; a swing of {times[-1] - times[0]:.2g} s is too short to be told"
            )
        if max(float(np.abs(np.subtract(a, b, dtype=np.float32)).mean()) for a, b in pairwise(pictures)) == 0:
            raise InputError(f"all frames of {film.path} are alike: nothing moves in it")
        stack = np.stack(pictures)
        scale = np.array([film.width / stack.shape[2], film.height / stack.shape[1]])
        anchors = Anchors(np.ascontiguousarray(stack[0, ..., 0]))
        anchors.settle(np.ascontiguousarray(stack[..., 0]))
        shift = _shifts(anchors, stack)
        if _swings(np.array(times), shift):
            anchors.points, shift = anchors.points[:0], np.zeros_like(shift)
        return cls(np.array(times), stack, anchors, shift, scale)

    def to_film(self, points: Floats) -> Floats:
        """Coordinates of the film for those of a picture."""
        return np.asarray((points + 0.5) * self.scale - 0.5)


def shrink(frame: Frame) -> NDArray[np.uint8]:
    """A frame at the resolution of its colours, or of 480 pixels across where that is less."""
    rows, columns = frame.u.shape
    width = min(columns, WIDTH)
    size = (width, max(1, round(rows * width / columns)))
    return np.dstack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (frame.y, frame.u, frame.v)])


def _shifts(anchors: Anchors, stack: NDArray[np.uint8]) -> Floats:
    """Of the middle of each picture against the first; where a picture tells none, that of the one before."""
    middle = complex(stack.shape[2] / 2, stack.shape[1] / 2)
    shifts = np.zeros((len(stack), 2))
    for i in range(1, len(stack)):
        a, b, _ = anchors.camera(np.ascontiguousarray(stack[i, ..., 0]))
        moved = a * middle + b - middle
        shifts[i] = (moved.real, moved.imag) if np.isfinite(moved) else shifts[i - 1]
    return shifts


def _swings(t: Floats, shift: Floats) -> bool:
    """Whether a pendulum was taken for what stands still, before a wall that shows nothing: no camera is as regular."""
    if np.abs(shift).max() < 1:
        return False
    swing, _ = swing_of(t, shift)
    return swing.coherence > 0.95 and swing.size > 1
