"""Noise of the pixels of a rendered film."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.rendering.defects import Defects, random

_LUMA = (0.299, 0.587, 0.114)
_SPARE = 64  # pixels by which the pool of noise exceeds a frame in each direction


class Noise:
    """Noise for a sequence of frames, each of which takes another part of one pool.

    Parameters
    ----------
    defects
        Defects of the film.
    size
        Width and height of the frames [pixels].
    seed
        Random seed of the film.
    """

    def __init__(self, defects: Defects, size: tuple[int, int], seed: int) -> None:
        self.size, self.rng = size, random(seed, "noise")
        shape = (size[1] + _SPARE, size[0] + _SPARE, 3)
        pool = np.rint(self.rng.standard_normal(shape, dtype=np.float32) * (defects.noise / sqrt(sum(w * w for w in _LUMA))))
        self.brighter = np.clip(pool, 0, 255).astype(np.uint8)
        self.darker = np.clip(-pool, 0, 255).astype(np.uint8)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Add noise to a picture in place, clipped to grey levels from 0 to 255.

        Parameters
        ----------
        picture : shape ``(height, width, 3)``
            The next frame in red, green and blue.
        """
        left, top = self.rng.integers(0, _SPARE, 2).tolist()
        part = np.s_[top : top + self.size[1], left : left + self.size[0]]
        brighter, darker = (self.brighter, self.darker) if self.rng.random() < 0.5 else (self.darker, self.brighter)
        cv2.add(picture, brighter[part], dst=picture)
        cv2.subtract(picture, darker[part], dst=picture)
