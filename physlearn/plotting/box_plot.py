"""Box-and-whisker plots of the scores of variants, as in the paper."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats

from physlearn.plotting.columns import check_columns
from physlearn.plotting.marks import variant_marks
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError

LEVEL = 5  # names that fit side by side without tilting
TILT = 35  # degrees


def box_plot(
    table: pd.DataFrame,
    measure: str,
    *,
    ax: Axes | None = None,
    scale: Literal["log", "linear"] = "log",
    label: str | None = None,
) -> Axes:
    """Draw the distribution of a measure over the replicates, one box per variant in order of appearance.

    A box extends from the lower to the upper quartile, with a line at the median. The whiskers reach the last replicate within
    1.5 times the height of the box (of the logarithm on the log scale), and circles mark replicates beyond. Replicates that
    diverged, or whose measure is not finite, are excluded; their number appears below the name of the variant. The figure has
    the form of figures 3 to 7 of the paper.

    Parameters
    ----------
    table : DataFrame
        One row per replicate and variant, with the columns ``variant``, ``diverged`` and the measure.
    measure : str
        The column to draw.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    scale : {'log', 'linear'}
        The scale of the measure.
    label : str, optional
        Label of the measure; by default, its name.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If a column is missing, or a measure on the log scale is not positive.
    """
    if scale not in ("log", "linear"):
        raise InputError(f"scale must be 'log' or 'linear', not {scale!r}")
    check_columns(table, ("variant", "diverged", measure))
    variants = list(table["variant"].unique())
    finite = np.isfinite(table[measure].to_numpy(float)) & ~table["diverged"].to_numpy(bool)
    if scale == "log" and (table.loc[finite, measure] <= 0).any():
        raise InputError(f"{measure} is not positive everywhere: draw it on the scale 'linear'")
    crowded = len(variants) > LEVEL
    if ax is None:
        width = 0.8 + (0.72 if crowded else 0.95) * len(variants)
        ax = plt.subplots(figsize=(max(3.2, width), 3.8), layout="constrained")[1]
    boxes, names = [], []
    for variant in variants:
        rows = (table["variant"] == variant).to_numpy()
        boxes.append(_box(table.loc[rows & finite, measure].to_numpy(float), scale))
        diverged = int((rows & ~finite).sum())
        between = ", " if crowded else "\n"  # a second line of a tilted name would cross the next name
        names.append(f"{variant}{between}{diverged} diverged" if diverged else variant)
    drawn = ax.bxp(boxes, widths=0.6, patch_artist=True, medianprops={"color": "black", "linewidth": 1.4})
    colors = list(variant_colors(variants).values())
    marks = variant_marks(variants).values()
    for box, fliers, color, mark in zip(drawn["boxes"], drawn["fliers"], colors, marks, strict=True):
        box.set(facecolor=color, linewidth=0.8, hatch=mark.hatch)
        fliers.set(markersize=3.5, markeredgecolor=color, markerfacecolor="none")
    ax.set(yscale=scale, ylabel=label if label is not None else measure.replace("_", " "))
    ax.set_xticks(range(1, len(variants) + 1), names)
    if crowded:
        plt.setp(ax.get_xticklabels(), rotation=TILT, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    return ax


def _box(values: Float[np.ndarray, " n"], scale: str) -> dict[str, Any]:
    """What matplotlib draws a box from."""
    if scale == "linear":
        return dict(boxplot_stats(values)[0])
    logs = np.log(values)
    (box,) = boxplot_stats(logs)
    drawn = {key: np.exp(value) for key, value in box.items() if key not in ("label", "iqr")}
    if inside := values[(logs >= box["whislo"]) & (logs <= box["whishi"])].tolist():
        drawn |= {"whislo": min(inside), "whishi": max(inside)}  # exp(log(x)) may miss x by a rounding
    return drawn
