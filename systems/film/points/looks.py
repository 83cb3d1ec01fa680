"""What a marker looks like, and where something in a frame looks like it."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from systems.film.tracking.decode import Frame

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are exclusive


@dataclass(frozen=True)
class Sight:
    """Something in a frame that looks like a marker.

    Attributes
    ----------
    x, y : float
        Its centre [pixels].
    size : float
        How much of it is seen, in units of its usual area.
    likeness : float
        How much it looks like the marker, from 0 to 1.
    peak : float
        How clearly it stands out where it is clearest, from 0 to 1; less for a marker that is blurred by its motion.
    turn : float
        Angle by which it is turned [rad], where that is seen.
    cut : bool
        Whether the border of the part that was searched cuts it.
    spread : float
        Variance of its pixels around the centre, along both directions together, where that is known [pixels^2].
    """

    x: float
    y: float
    size: float = 1.0
    likeness: float = 1.0
    peak: float = 1.0
    turn: float = 0.0
    cut: bool = False
    spread: float = nan


def unlike(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Return by how much pixels (y, u, v) differ from others [grey levels]; shades differ less than colours."""
    off = np.asarray(one, np.float64) - other
    return np.asarray(np.sqrt((0.5 * off[..., 0]) ** 2 + off[..., 1] ** 2 + off[..., 2] ** 2))


class Look(Protocol):
    """The appearance of a marker."""

    @property
    def radius(self) -> float:
        """Its radius [pixels]."""

    @property
    def contrast(self) -> float:
        """How much it differs from its surroundings [grey levels]."""

    @property
    def error(self) -> float:
        """Error of a place that many frames have in common, because of what surrounds the marker [pixels]."""

    def find(self, frame: Frame, box: Box, turn: float) -> list[Sight]:
        """Return what looks like the marker in a part of a frame.

        Parameters
        ----------
        frame
            The frame.
        box
            The part of the frame to search [pixels].
        turn
            Angle by which the marker was last turned [rad].
        """

    def learn(self, frame: Frame, sight: Sight) -> None:
        """Take note of what the marker looks like now."""
