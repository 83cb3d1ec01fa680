"""Basins of attraction, and of exits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from physlearn.plotting.array import array
from physlearn.plotting.marks import AREAS
from physlearn.plotting.names import symbol
from systems import InputError

NONE = {-1: "0.92", -2: "0.0"}  # the colours of labels that are no basin


def basin_plot(
    x: Float[np.ndarray, " nx"],
    y: Float[np.ndarray, " ny"],
    label: Int[np.ndarray, "nx ny"],
    coordinates: tuple[str, str],
    *,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw a grid of initial states, each in the colour of its label.

    Parameters
    ----------
    x, y : shapes ``(nx,)`` and ``(ny,)``
        The values of both coordinates.
    label : shape ``(nx, ny)``
        Labels from 0; -1 is drawn in light grey, and -2 in black.
    coordinates : tuple of two str
        Names of the coordinates.
    names : sequence of str, optional
        Names of the labels, for a legend; by default, there is none.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    **style
        Options of matplotlib's ``pcolormesh``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    x, y, labels = array(x), array(y), array(label)
    if labels.shape != (len(x), len(y)):
        raise InputError(f"label must have shape {(len(x), len(y))}, that of the coordinates, not {labels.shape}")
    if ax is None:
        ax = plt.subplots(figsize=(5.0, 4.4), layout="constrained")[1]
    many = int(max(labels.max(initial=0), 0)) + 1
    colours = [NONE[-2], NONE[-1], *islice(cycle(AREAS), many)]
    mesh = {"cmap": ListedColormap(colours), "vmin": -2.5, "vmax": many - 0.5, "rasterized": True, **style}
    ax.pcolormesh(x, y, labels.T, shading="nearest", **mesh)
    ax.set(xlabel=symbol(coordinates[0]), ylabel=symbol(coordinates[1]))
    if names is not None:
        _legend(ax, names)
    return ax


def exit_plot(
    points: Float[np.ndarray, "n 2"],
    exits: Int[np.ndarray, " n"],
    coordinates: tuple[str, str],
    names: Sequence[str],
    *,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw initial states in a plane, each in the colour of the exit by which its orbit leaves.

    Parameters
    ----------
    points : shape ``(n, 2)``
        The states in the plane.
    exits : shape ``(n,)``
        Numbers of the exits; -1, for orbits that stay, is drawn in light grey, and -2 in black.
    coordinates : tuple of two str
        Names of the coordinates.
    names : sequence of str
        Names of the exits, for the legend.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    **style
        Options of matplotlib's ``scatter``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    points, codes = array(points), np.asarray(exits)
    if points.shape != (len(codes), 2):
        raise InputError(f"points must have shape {(len(codes), 2)}, one per exit, not {points.shape}")
    if ax is None:
        ax = plt.subplots(figsize=(5.0, 4.4), layout="constrained")[1]
    colours = [NONE[int(code)] if code < 0 else AREAS[int(code) % len(AREAS)] for code in codes]
    ax.scatter(*points.T, **{"s": 1.0, "c": colours, "linewidths": 0, "rasterized": True, **style})
    ax.set(xlabel=symbol(coordinates[0]), ylabel=symbol(coordinates[1]))
    _legend(ax, names)
    return ax


def _legend(ax: Axes, names: Sequence[str]) -> None:
    patches = [Patch(color=colour, label=name) for colour, name in zip(AREAS, names, strict=False)]
    ax.legend(handles=patches, loc="upper right", fontsize="small", framealpha=0.9)
