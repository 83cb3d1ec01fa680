"""Motion along a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.film.points.positions import Positions

STRAIGHT = 0.2  # part of the motion that may be across the line


def along_its_line(positions: Positions, marker: int, what: str) -> NDArray[np.float64]:
    """Return where a marker is along the line on which it moves ``(T,)``, to the right or upwards.

    Raises InputError if it does not move along a line; ``what`` is the name of the system in the message.
    """
    places = np.stack([positions.x[marker], positions.height[marker]], axis=-1)
    seen = np.isfinite(places).all(axis=-1)
    if seen.sum() < 2:
        raise InputError(f"the marker of {what} is seen in {seen.sum()} frames; at least 2 are needed")
    _, sizes, axes = np.linalg.svd(places[seen] - places[seen].mean(axis=0), full_matrices=False)
    if sizes[0] == 0 or sizes[1] > STRAIGHT * sizes[0]:
        across = f"its motion across is {sizes[1] / sizes[0]:.0%} of that along it" if sizes[0] > 0 else "it stands still"
        raise InputError(
            f"the marker of {what} does not move along a straight line: {across}; choose another system or marker"
        )
    direction = axes[0] * np.sign(axes[0][np.abs(axes[0]).argmax()])
    return np.asarray(places @ direction)
