"""Lines that are coloured by time."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from physlearn.plotting.array import array
from physlearn.plotting.color_map import ORDERED

LARGEST = 1e12  # larger coordinates overflow when they are drawn


def colored_line(
    x: Float[np.ndarray, " T"],
    y: Float[np.ndarray, " T"],
    t: Float[np.ndarray, " T"],
    *,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw y against x, from violet at the earliest time to orange at the latest, and return the axes.

    The colours are perceptually uniform and safe for colour-blind readers; ``cmap="rainbow"`` gives those of the paper.

    Parameters
    ----------
    x, y, t : shape ``(T,)``
        Positions and times; positions that are not finite are left out.
    ax
        Axes to draw on; by default those of a new figure.
    **style
        Options of matplotlib's LineCollection, such as ``cmap``, ``linewidth`` or ``label``.
    """
    if ax is None:
        ax = plt.subplots(figsize=(4.5, 4.2), layout="constrained")[1]
    add_line(ax, *(array(values) for values in (x, y, t)), **style)
    return ax


def add_line(
    ax: Axes, x: Float[np.ndarray, " T"], y: Float[np.ndarray, " T"], t: Float[np.ndarray, " T"], **style: Any
) -> LineCollection:
    """Add the line of `colored_line` to axes, and return it."""
    points = np.stack([x, y], axis=-1)
    segments = np.stack([points[:-1], points[1:]], axis=1)
    whole = (np.abs(segments) < LARGEST).all(axis=(1, 2))
    lines = LineCollection(list(segments[whole]), **{"cmap": ORDERED, "linewidth": 0.9, "capstyle": "round", **style})
    lines.set_array((t[:-1] + t[1:])[whole] / 2)
    lines.set_clim(t.min(), t.max())
    ax.add_collection(lines)
    ax.autoscale_view()
    return lines
