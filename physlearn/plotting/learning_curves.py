"""Learning curves: the loss against steps or computing time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.columns import check_columns
from physlearn.plotting.marks import variant_marks
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError

ABOVE = 4  # names per row of the legend above the axes


def learning_curves(
    curves: pd.DataFrame, *, against: Literal["step", "seconds"] = "step", ax: Axes | None = None, label: str = "loss"
) -> Axes:
    """Draw the median loss of each variant during training, with a band between its quartiles, on a logarithmic scale.

    Losses that are not finite leave a gap.

    Parameters
    ----------
    curves : DataFrame
        One row per variant and time, with the columns ``variant``, ``median``, ``low`` and ``high`` (the quartiles), and
        ``step`` or ``epoch``, or ``seconds``.
    against : {'step', 'seconds'}
        The horizontal axis. Without a column ``step``, ``'step'`` uses ``epoch``.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    label : str, default 'loss'
        Label of the loss.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If a column is missing.
    """
    if against not in ("step", "seconds"):
        raise InputError(f"learning curves can be drawn against 'step' or 'seconds', not {against!r}")
    time = "epoch" if against == "step" and "step" not in curves else against
    check_columns(curves, ("variant", time, "median", "low", "high"))
    if ax is None:
        ax = plt.subplots(figsize=(6, 3.8), layout="constrained")[1]
    ax.set_yscale("log")  # before drawing: if all losses are gaps, there are no data for log limits
    colors = variant_colors(curves["variant"])
    marks = variant_marks(colors)
    for variant, color in colors.items():
        curve = curves[curves["variant"] == variant].sort_values(time)
        t, median, low, high = (curve[c].to_numpy(float) for c in (time, "median", "low", "high"))
        median, low, high = (np.where(np.isfinite(y) & (y > 0), y, np.nan) for y in (median, low, high))
        ax.fill_between(t, low, high, color=color, alpha=0.18, linewidth=0)
        ax.plot(t, median, color=color, linewidth=1.6, label=variant, **marks[variant].along(len(t)))
    rows = -(-len(colors) // ABOVE)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=-(-len(colors) // rows) if rows else 1, frameon=False)
    ax.set(xlabel="time [s]" if time == "seconds" else time, ylabel=label)
    return ax
