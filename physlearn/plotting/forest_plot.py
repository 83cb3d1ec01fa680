"""Forest plots: differences with their confidence intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.columns import check_columns
from physlearn.plotting.marks import COLORS

VERDICTS = {"holds": COLORS[0], "does not hold": COLORS[1], "undecided": "0.5"}
MARKERS = {"holds": "o", "does not hold": "X", "undecided": "D"}


def forest_plot(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the difference in each row as a dot on its confidence interval, from top to bottom, coloured by verdict.

    Parameters
    ----------
    table : DataFrame
        One row per difference, with the columns ``claim``, ``where``, ``difference``, ``low``, ``high`` and ``verdict``.
    ax : Axes, optional
        Where to draw; by default, a new figure.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If a column is missing.
    """
    check_columns(table, ("claim", "where", "difference", "low", "high", "verdict"))
    if ax is None:
        ax = plt.subplots(figsize=(8, 1.5 + 0.2 * len(table)), layout="constrained")[1]
    y = np.arange(len(table))
    for name, color in VERDICTS.items():
        rows = (table["verdict"] == name).to_numpy()
        if rows.any():
            part = table[rows]
            ax.hlines(y[rows], part["low"], part["high"], color=color, linewidth=1.5)
            ax.plot(part["difference"], y[rows], MARKERS[name], color=color, markersize=4, label=name)
    ax.axvline(0, color="0.3", linewidth=0.8, zorder=0)
    ax.set_yticks(y, [f"{claim} ({where})" for claim, where in zip(table["claim"], table["where"], strict=True)], fontsize=7)
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return ax
