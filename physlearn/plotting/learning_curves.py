"""Learning curves: the loss against what it costs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.variant_colors import variant_colors
from systems import InputError

ABOVE = 4  # names in a row above the picture


def learning_curves(
    curves: pd.DataFrame, *, against: Literal["step", "seconds"] = "step", ax: Axes | None = None, label: str = "loss"
) -> Axes:
    """The median loss of each variant during training, between its quartiles, on a logarithmic scale; gives the axes.

    curves: a row a variant and time, with the columns ``variant``, ``median``, ``low``, ``high`` (the quartiles), and
    ``step`` or ``epoch``, or ``seconds`` where the picture is against these. Losses that are not finite leave a gap.
    label: of what is learned. Raises InputError for a column that is not there.
    """
    if against not in ("step", "seconds"):
        raise InputError(f"learning curves are drawn against 'step' or 'seconds', not {against!r}")
    time = "epoch" if against == "step" and "step" not in curves else against
    if missing := [column for column in ("variant", time, "median", "low", "high") if column not in curves]:
        raise InputError(f"the curves have no column {missing[0]!r}: there are {', '.join(map(str, curves))}")
    if ax is None:
        ax = plt.subplots(figsize=(6, 3.8), layout="constrained")[1]
    ax.set_yscale("log")  # before anything is drawn: where all losses are gaps, there is nothing to choose limits by
    colors = variant_colors(curves["variant"])
    for variant, color in colors.items():
        curve = curves[curves["variant"] == variant].sort_values(time)
        t, median, low, high = (curve[c].to_numpy(float) for c in (time, "median", "low", "high"))
        median, low, high = (np.where(np.isfinite(y) & (y > 0), y, np.nan) for y in (median, low, high))
        ax.fill_between(t, low, high, color=color, alpha=0.18, linewidth=0)
        ax.plot(t, median, color=color, linewidth=1.6, label=variant)
    rows = -(-len(colors) // ABOVE)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=-(-len(colors) // rows) if rows else 1, frameon=False)
    ax.set(xlabel="time [s]" if time == "seconds" else time, ylabel=label)
    return ax
