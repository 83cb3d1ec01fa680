"""What a film with a camera that stands still shows behind everything that moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Bytes, Image
from systems.film.tracking.decode import FilmReader, Frame
from systems.film.tracking.markers import NOISE, window

PICTURES = 15  # of which the median is taken: something that moves is seldom at the same place in half of them
MEMORY = 64_000_000  # bytes that the pictures of a large film may take
FLOOR = 1.5  # standard deviations: a smaller difference is noise


@dataclass(frozen=True)
class Backdrop:
    """The median of pictures from the start of a film.

    Attributes
    ----------
    still
        The median picture.
    """

    still: Frame

    @classmethod
    def of(cls, film: FilmReader, span: float) -> Backdrop:
        """Take the median of pictures that are spread over the start of a film.

        Parameters
        ----------
        film
            The film.
        span
            How much of it to use [s].
        """
        count = int(np.clip(MEMORY // (1.5 * film.width * film.height), 5, PICTURES))
        kept: list[Frame] = []
        for frame in film.frames():
            if frame.t > span:
                break
            if not kept or frame.t - kept[-1].t >= span / count:
                kept.append(Frame(frame.t, *(plane.copy() for plane in (frame.y, frame.u, frame.v))))
        return cls(Frame(0.0, *(_median([getattr(frame, plane) for frame in kept]) for plane in "yuv")))

    def difference(self, view: Image, left: int, top: int) -> Image:
        """Return by how many standard deviations a part of a frame differs from the backdrop.

        Parameters
        ----------
        view : shape ``(h, w, 3)``
            Pixels (y, u, v) from `systems.film.tracking.markers.window`.
        left, top
            Where the part begins.
        """
        behind = window(self.still, left, top, left + view.shape[1], top + view.shape[0])[0]
        off = (view - behind) / np.sqrt(np.diag(NOISE)).astype(np.float32)
        return np.asarray(np.maximum(np.sqrt(np.einsum("...i,...i->...", off, off)) - FLOOR, 0), np.float32)


def _median(planes: list[Bytes]) -> Bytes:
    """Return the median of pictures, row by row so that little memory is needed."""
    return np.stack([np.median([plane[row] for plane in planes], axis=0) for row in range(len(planes[0]))]).astype(np.uint8)


@dataclass(frozen=True)
class Moved:
    """How much of each pixel is something in front of the backdrop, as `Paint` measures how much of it has a colour.

    Attributes
    ----------
    backdrop
        The backdrop.
    contrast
        Difference of the marker from the backdrop [standard deviations].
    """

    backdrop: Backdrop
    contrast: float

    def amount(self, view: Image, left: int, top: int) -> Image:
        """Return parts from 0 to 1, ``(h, w)``, of a view as for `Backdrop.difference`."""
        amount = cv2.GaussianBlur(self.backdrop.difference(view, left, top), (3, 3), 0) / np.float32(self.contrast)
        return np.clip(amount, 0, 1, out=amount)
