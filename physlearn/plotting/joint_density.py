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

from physlearn.plotting.learning_curves import ABOVE
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError

GRID = 151
ROOM = 0.25  # around the replicates, of their extent, where the densities still are
SHARES = (0.9, 0.5)  # of the probability that the contours hold
FEWEST = 4  # replicates of which a density is estimated


def joint_density(
    table: pd.DataFrame,
    x: str = "accuracy",
    y: str = "participation",
    *,
    ax: Axes | None = None,
    labels: tuple[str, str] | None = None,
) -> Axes:
    """The density of two measures together for each variant, by a Gaussian kernel; gives the axes.

    The darker area holds half of the estimated probability, the lighter nine tenths; the cross is the mean, dots are the
    replicates. The kernel's width is Scott's. Replicates that diverged, or with a measure that is not finite, are left out.

    table: a row a replicate and variant, with the columns ``variant``, x and y, and perhaps ``diverged``. labels: of the
    measures, by default their names. Raises InputError for a column that is not there, or a variant with fewer than four
    replicates or whose measures do not vary, or vary together exactly: it has no density.
    Source: the paper's figure 8.
    """
    if missing := [column for column in ("variant", x, y) if column not in table]:
        raise InputError(f"the table has no column {missing[0]!r}: there are {', '.join(map(str, table))}")
    rows = table[np.isfinite(table[[x, y]].to_numpy(float)).all(1)]
    if "diverged" in rows:
        rows = rows[~rows["diverged"].to_numpy(bool)]
    colors = variant_colors(table["variant"])
    clouds = {variant: rows.loc[rows["variant"] == variant, [x, y]].to_numpy(float).T for variant in colors}
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
        ax.scatter(a.mean(), b.mean(), marker="P", s=70, color=color, edgecolor="white", linewidths=0.9, zorder=4)
    handles = [Line2D([], [], color=color, linewidth=5, label=variant) for variant, color in colors.items()]
    ncols = min(len(handles), ABOVE)
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=ncols, frameon=False, handlelength=1)
    names = labels if labels is not None else (x.replace("_", " "), y.replace("_", " "))
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def _density(variant: str, cloud: Float[np.ndarray, "2 n"]) -> gaussian_kde:
    if cloud.shape[1] < FEWEST:
        raise InputError(f"{variant} has {cloud.shape[1]} replicates, and a density needs at least {FEWEST}")
    try:
        return gaussian_kde(cloud)
    except np.linalg.LinAlgError:
        raise InputError(f"the two measures of {variant} do not vary independently: they have no joint density") from None


def _level(p: Float[np.ndarray, "n n"], share: float) -> float:
    """The density at the edge of the smallest area that holds that share of the probability."""
    falling = np.sort(p.ravel())[::-1]
    held = np.cumsum(falling)
    return float(falling[np.searchsorted(held, share * held[-1])])
