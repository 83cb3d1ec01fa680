"""Bifurcation diagrams."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.columns import check_columns
from physlearn.plotting.names import symbol


def bifurcation_plot(points: pd.DataFrame, parameter: str, coordinate: str, *, ax: Axes | None = None, **style: Any) -> Axes:
    """Draw a bifurcation diagram: a dot for each value of a coordinate on an attractor, above that of the parameter.

    Parameters
    ----------
    points : DataFrame
        One row per point, with the columns ``parameter`` and ``value``, see `~physlearn.chaos.BifurcationDiagram`.
    parameter, coordinate : str
        Names of the parameter and of the coordinate, for the labels.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    **style
        Options of matplotlib's ``plot``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If a column is missing.
    """
    check_columns(points, ("parameter", "value"))
    if ax is None:
        ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")[1]
    ax.plot(points["parameter"], points["value"], **{"ls": "", "marker": ",", "color": "0.15", "rasterized": True, **style})
    ax.set(xlabel=symbol(parameter), ylabel=symbol(coordinate))
    return ax
