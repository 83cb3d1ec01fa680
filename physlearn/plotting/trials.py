"""Trials of a search for hyperparameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.columns import check_columns
from physlearn.plotting.marks import variant_marks
from physlearn.plotting.variant_colors import variant_colors


def trials_plot(table: pd.DataFrame, x: str = "learning_rate", *, ax: Axes | None = None) -> Axes:
    """Draw the loss of each trial of a search against a hyperparameter, both on logarithmic scales.

    Each variant has its colour and marker, and the marker of its best trial is filled. A best trial at the end of the range
    suggests a search beyond it. Trials with networks that diverged have no loss and are left out.

    Parameters
    ----------
    table : DataFrame
        One row per trial, with the columns ``variant``, ``loss`` and the hyperparameter, as
        from `physlearn.comparison.search`.
    x : str, default 'learning_rate'
        Name of the hyperparameter.
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
    check_columns(table, ("variant", "loss", x))
    if ax is None:
        ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")[1]
    marks, colors = variant_marks(table["variant"]), variant_colors(table["variant"])
    for variant, trials in table[np.isfinite(table["loss"])].groupby("variant", sort=False):
        look: Any = {"color": colors[str(variant)], "marker": marks[str(variant)].marker or "o", "linestyle": ""}
        ax.plot(trials[x], trials["loss"], **look, fillstyle="none", markersize=5)
        best = trials.loc[trials["loss"].idxmin()]
        ax.plot([best[x]], [best["loss"]], **look, markersize=9, label=str(variant))
    ax.set(xscale="log", yscale="log", xlabel=x.replace("_", " "), ylabel="loss")
    ax.legend(title="best trial of", frameon=False)
    return ax
