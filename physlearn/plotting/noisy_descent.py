"""Noisy descent: paths that move between the valleys of a potential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import LogLocator, MaxNLocator
from torch import Tensor

from physlearn.plotting.array import array
from physlearn.plotting.color_map import ORDERED
from physlearn.plotting.colored_line import add_line
from systems import InputError, Orbit

GRID = 181
LEVELS = 24
DECADES = 1.5  # range of the potential above which levels are spaced logarithmically
ROOM = 0.12  # margin around the paths, relative to their extent


def noisy_descent(
    potential: Callable[[Tensor], Tensor],
    paths: Orbit,
    *,
    window: tuple[float, float] | None = None,
    minima: Float[Tensor, "n 2"] | None = None,
    ax: Axes | None = None,
    label: str = "potential $V$",
    **style: Any,
) -> Axes:
    """Draw paths in the plane over the grey contours of a potential, coloured from violet to orange by time.

    The figure has the form of figure 9 of the paper.

    Parameters
    ----------
    potential : callable
        The potential as a function of points of shape (n, 2).
    paths : Orbit
        One path or several with a common start, which a ring marks, each with two coordinates.
    window : tuple of two float, optional
        The largest absolute value of each coordinate to show. By default, the window fits the paths.
    minima : Tensor, shape (n, 2), optional
        Points to mark with crosses.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    label : str, optional
        Label of the potential.
    **style
        Options of matplotlib's LineCollection.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the paths do not have two coordinates.
    """
    if paths.dim != 2:
        raise InputError(f"noisy descent needs paths with two coordinates, not paths with {paths.dim} coordinates")
    if ax is None:
        ax = plt.subplots(figsize=(6.2, 4.4), layout="constrained")[1]
    z, t = array(paths.z).reshape(-1, len(paths.t), 2), array(paths.t)
    limits = _limits(z) if window is None else [(-window[0], window[0]), (-window[1], window[1])]
    x, y = (np.linspace(*limit, GRID) for limit in limits)
    points = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1)).flatten(0, 1)
    V = array(potential(points)).reshape(GRID, GRID)
    low, high = V.min(), V.max()
    steep = low > 0 and np.log10(high / low) > DECADES
    levels = np.geomspace(low, high, LEVELS + 1) if steep else np.linspace(low, high, LEVELS + 1)
    norm = LogNorm(low, high) if steep else Normalize(low, high)
    filled = ax.contourf(x, y, V, levels, cmap="Greys_r", norm=norm, alpha=0.55)
    ax.contour(x, y, V, levels, colors="white", linewidths=0.4)
    ticks = LogLocator(subs=(1, 2, 5)) if steep else MaxNLocator(7)
    ax.figure.colorbar(filled, ax=ax, label=label, pad=0.02, ticks=ticks, format="%g")
    style = {"linewidth": 0.7, "cmap": ORDERED, **style}
    for path in z:
        add_line(ax, path[:, 0], path[:, 1], t, **style)
    ax.figure.colorbar(ScalarMappable(Normalize(t.min(), t.max()), style["cmap"]), ax=ax, label="time $t$", pad=0.02)
    if minima is not None:
        x, y = array(minima).T
        ax.scatter(x, y, marker="+", s=40, color="black", linewidths=1.1, zorder=4)
    ax.scatter(z[:, 0, 0], z[:, 0, 1], marker="o", s=36, facecolor="white", edgecolor="black", linewidths=1.1, zorder=5)
    names = [rf"$\theta_{{{i}}}$" for i in (1, 2)]
    ax.set(xlim=limits[0], ylim=limits[1], xlabel=names[0], ylabel=names[1])
    return ax


def _limits(z: Float[np.ndarray, "n T 2"]) -> list[tuple[float, float]]:
    flat = z.reshape(-1, 2)
    flat = flat[np.isfinite(flat).all(-1)]
    low, high = flat.min(0), flat.max(0)
    pad = ROOM * np.where(high > low, high - low, 1.0)
    return list(zip(low - pad, high + pad, strict=True))
