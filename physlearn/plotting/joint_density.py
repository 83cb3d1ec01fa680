"""Joint densities of two measures over the replicates of each variant."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from scipy.stats import gaussian_kde

from physlearn.plotting.columns import check_columns
from physlearn.plotting.learning_curves import ABOVE
from physlearn.plotting.marks import variant_marks
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError

GRID = 151
ROOM = 0.25  # margin around the replicates, relative to their extent, for the tails of the densities
SHARES = (0.9, 0.5)  # of the probability within the contours
FEWEST = 4  # replicates needed to estimate a density


def joint_density(
    table: pd.DataFrame,
    x: str = "accuracy",
    y: str = "participation",
    *,
    ax: Axes | None = None,
    labels: tuple[str, str] | None = None,
) -> Axes:
    """Draw the joint density of two measures for each variant, estimated with a Gaussian kernel of Scott's bandwidth.

    The darker area contains half of the estimated probability, and the lighter area 90 %. Crosses mark the means, and dots the
    replicates. Replicates that diverged, or with a measure that is not finite, are excluded. The figure has the form of figure
    8 of the paper.

    Parameters
    ----------
    table : DataFrame
        One row per replicate and variant, with the columns ``variant``, x, y, and optionally ``diverged``.
    x, y : str
        The columns of the two measures.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    labels : tuple of two str, optional
        Labels of the measures; by default, their names.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If a column is missing, or if a variant has no density because it has fewer than four replicates, or its measures are
        constant or exactly linearly related.
    """
    check_columns(table, ("variant", x, y))
    rows = table[np.isfinite(table[[x, y]].to_numpy(float)).all(1)]
    if "diverged" in rows:
        rows = rows[~rows["diverged"].to_numpy(bool)]
    colors = variant_colors(table["variant"])
    clouds = {variant: rows.loc[rows["variant"] == variant, [x, y]].to_numpy(float).T for variant in colors}
    markers = {variant: marks.marker or "P" for variant, marks in variant_marks(colors).items()}
    densities = {variant: _density(variant, cloud) for variant, cloud in clouds.items()}
    if ax is None:
        ax = plt.subplots(figsize=(5.2, 4.4), layout="constrained")[1]
    every = np.concatenate(list(clouds.values()), axis=1)
    low, high = every.min(1), every.max(1)
    pad = ROOM * (high - low)
    across, up = np.meshgrid(*(np.linspace(a, b, GRID) for a, b in zip(low - pad, high + pad, strict=True)))
    for variant, color in colors.items():
        p = densities[variant](np.stack([across.ravel(), up.ravel()])).reshape(GRID, GRID)
        levels = [_level(p, share) for share in SHARES]
        ax.contourf(across, up, p, [*levels, np.inf], colors=[to_rgba(color, 0.18), to_rgba(color, 0.42)])
        ax.contour(across, up, p, levels, colors=[color], linewidths=(0.8, 1.2))
        a, b = clouds[variant]
        ax.scatter(a, b, s=5, color=color, linewidths=0, alpha=0.7)
        ax.scatter(a.mean(), b.mean(), marker=markers[variant], s=70, color=color, edgecolor="white", linewidths=0.9, zorder=4)
    handles = [
        Line2D([], [], color=color, linewidth=5, marker=markers[variant], markersize=9, markeredgecolor="white", label=variant)
        for variant, color in colors.items()
    ]
    ncols = min(len(handles), ABOVE)
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=ncols, frameon=False, handlelength=1)
    names = labels if labels is not None else (x.replace("_", " "), y.replace("_", " "))
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def _density(variant: str, cloud: Float[np.ndarray, "2 n"]) -> gaussian_kde:
    if cloud.shape[1] < FEWEST:
        raise InputError(f"{variant} has {cloud.shape[1]} replicates, but a density needs at least {FEWEST}")
    try:
        return gaussian_kde(cloud)
    except np.linalg.LinAlgError:
        raise InputError(f"the two measures of {variant} do not vary independently, so they have no joint density") from None


def _level(p: Float[np.ndarray, "n n"], share: float) -> float:
    """Return the density at the edge of the smallest area that contains that share of the probability."""
    falling = np.sort(p.ravel())[::-1]
    held = np.cumsum(falling)
    return float(falling[np.searchsorted(held, share * held[-1])])
