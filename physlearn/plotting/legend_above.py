"""A legend above the axes, which is no wider than they are."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.artist import Artist
from matplotlib.axes import Axes

WIDTH = 100  # characters of a row, on axes of about 8 inches
SAMPLE = 8  # characters that the sample of a line takes


def legend_above(ax: Axes, shown: Mapping[str, Artist]) -> None:
    """Draw a legend of lines by their labels, in as many rows as these need."""
    rows = -(-sum(len(label) + SAMPLE for label in shown) // WIDTH)
    ax.legend(
        list(shown.values()),
        list(shown),
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=-(-len(shown) // rows),
        frameon=False,
        fontsize="small",
    )
