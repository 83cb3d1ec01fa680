"""Lines that are coloured by time."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

RAINBOW = "rainbow"  # violet to red, as in the paper's figures
LARGEST = 1e12  # larger coordinates overflow when they are drawn


def colored_by_time(
    ax: Axes, x: Float[np.ndarray, " T"], y: Float[np.ndarray, " T"], t: Float[np.ndarray, " T"], **style: Any
) -> LineCollection:
    """Draw y against x, coloured by time from violet to red.

    States that are not finite are left out.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : ndarray, shape (T,)
        The coordinates.
    t : ndarray, shape (T,)
        The times.
    **style
        Options of matplotlib's LineCollection, such as ``cmap``, ``linewidth`` or ``label``.

    Returns
    -------
    LineCollection
        The lines.
    """
    points = np.stack([x, y], axis=-1)
    segments = np.stack([points[:-1], points[1:]], axis=1)
    whole = (np.abs(segments) < LARGEST).all(axis=(1, 2))
    lines = LineCollection(list(segments[whole]), **{"cmap": RAINBOW, "linewidth": 0.9, "capstyle": "round", **style})
    lines.set_array((t[:-1] + t[1:])[whole] / 2)
    lines.set_clim(t.min(), t.max())
    ax.add_collection(lines)
    ax.autoscale_view()
    return lines
