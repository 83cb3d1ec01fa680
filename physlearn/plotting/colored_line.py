"""Lines whose colour tells the time."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

RAINBOW = "rainbow"  # violet to red, as in the paper's figures


def colored_by_time(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], t: NDArray[np.float64], **style: Any
) -> LineCollection:
    """Draw y against x, from violet at the first time to red at the last; states that are not finite are left out.

    x, y, t: ``(T,)``. style: of matplotlib's LineCollection.
    """
    points = np.stack([x, y], axis=-1)
    segments = np.stack([points[:-1], points[1:]], axis=1)
    whole = np.isfinite(segments).all(axis=(1, 2))
    lines = LineCollection(list(segments[whole]), **{"cmap": RAINBOW, "linewidth": 0.9, "capstyle": "round", **style})
    lines.set_array(t[:-1][whole])
    lines.set_clim(min(t[0], t[-1]), max(t[0], t[-1]))
    ax.add_collection(lines)
    ax.autoscale_view()
    return lines
