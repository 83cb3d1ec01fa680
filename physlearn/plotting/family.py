"""Families of periodic orbits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.columns import check_columns
from physlearn.plotting.marks import COLORS
from physlearn.plotting.names import symbol

MARKS = {"fold": "o", "branch": "s", "flip": "^", "Neimark-Sacker": "D", "Krein": "X"}


def family_plot(table: pd.DataFrame, parameter: str, y: str = "period", *, ax: Axes | None = None) -> Axes:
    """Draw a column of a family of periodic orbits against its parameter.

    Stable orbits are drawn as a solid line and unstable ones as a dashed line; marks show bifurcations.

    Parameters
    ----------
    table : DataFrame
        The table of a `physlearn.chaos.Family`, in the order in which the family was followed.
    parameter : str
        The column on the horizontal axis.
    y : str, default "period"
        The column on the vertical axis.
    ax : Axes, optional
        Where to draw; by default, a new figure.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If there is no such column.
    """
    check_columns(table, (parameter, y))
    if ax is None:
        ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")[1]
    x, values, stable = table[parameter].to_numpy(), table[y].to_numpy(), table["stable"].to_numpy(dtype=bool)
    together = np.minimum(stable[:-1], stable[1:])  # a piece between two orbits is stable if both are
    for stays, style in ((True, "-"), (False, "--")):
        pieces = np.flatnonzero(together == stays)
        for run in np.split(pieces, np.flatnonzero(np.diff(pieces) > 1) + 1):
            if len(run):
                ax.plot(x[run[0] : run[-1] + 2], values[run[0] : run[-1] + 2], style, color=COLORS[0], linewidth=1.4)
    for kind, mark in MARKS.items():
        rows = (table["bifurcation"] == kind).to_numpy()
        if rows.any():
            ax.plot(x[rows], values[rows], mark, color=COLORS[1], markersize=5, label=kind)
    for label, line, shown in (("stable", "-", stable.any()), ("unstable", "--", not stable.all())):
        if shown:
            ax.plot([], [], line, color=COLORS[0], linewidth=1.4, label=label)
    ax.set(xlabel=symbol(parameter), ylabel=y if y == "period" else symbol(y))
    ax.legend(frameon=False)
    return ax
