"""Box plots in groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from physlearn.plotting.columns import check_columns
from physlearn.plotting.learning_curves import ABOVE
from physlearn.plotting.marks import variant_marks
from physlearn.plotting.variant_colors import variant_colors

WIDTH = 0.86  # of a group, relative to the distance of groups


def grouped_boxes(
    table: pd.DataFrame, measure: str, by: str, *, ax: Axes | None = None, labels: tuple[str, str] | None = None
) -> Axes:
    """Draw the distribution of a measure over the replicates of each variant, in one group per value of another column.

    A box extends from the lower to the upper quartile, with a line at the median. The whiskers reach the last replicate within
    1.5 times the height of the box, and dots mark replicates beyond. Replicates that diverged are excluded. The figure has the
    form of figure 4 of the paper.

    Parameters
    ----------
    table : DataFrame
        One row per replicate, with the columns ``variant``, ``diverged``, the measure and ``by``.
    measure : str
        The column to draw.
    by : str
        The column whose values form the groups.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    labels : tuple of two str, optional
        Labels of the axes; by default, the names of the columns.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If a column is missing.
    """
    check_columns(table, ("variant", "diverged", measure, by))
    if ax is None:
        ax = plt.subplots(figsize=(8.5, 4.4), layout="constrained")[1]
    known = table[np.isfinite(table[measure].to_numpy(float)) & ~table["diverged"].to_numpy(bool)]
    groups, colors = list(dict.fromkeys(table[by])), variant_colors(table["variant"])
    marks = variant_marks(colors)
    width = WIDTH / len(colors)
    for i, (variant, color) in enumerate(colors.items()):
        values = [known.loc[(known["variant"] == variant) & (known[by] == group), measure].to_numpy(float) for group in groups]
        places = np.arange(len(groups)) + (i - (len(colors) - 1) / 2) * width
        ax.boxplot(
            values,
            positions=places,
            widths=0.85 * width,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": color, "linewidth": 0.7, "hatch": marks[variant].hatch},
            medianprops={"color": "black", "linewidth": 1.2},
            whiskerprops={"linewidth": 0.7},
            capprops={"linewidth": 0.7},
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": color},
        )
    ax.set_xticks(range(len(groups)), [f"{group:g}" if isinstance(group, (int, float)) else str(group) for group in groups])
    ax.set_xlim(-0.5, len(groups) - 0.5)
    handles = [
        Patch(facecolor=color, edgecolor="black", linewidth=0.7, hatch=marks[variant].hatch, label=variant)
        for variant, color in colors.items()
    ]
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=min(len(handles), ABOVE), frameon=False)
    names = labels if labels is not None else (by, measure)
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax
