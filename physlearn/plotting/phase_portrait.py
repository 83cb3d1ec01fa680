"""Phase portraits."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from physlearn.plotting.colored_line import add_line
from physlearn.plotting.names import axis_label
from physlearn.plotting.window import extent, show
from systems import Orbit


def phase_portrait(
    orbit: Orbit, coordinates: tuple[int | str, int | str] | None = None, *, ax: Axes | None = None, **style: Any
) -> Axes:
    """Draw one coordinate against another, coloured by time, for all orbits of a batch.

    An orbit that diverges is drawn until it leaves the axes.

    Parameters
    ----------
    orbit : Orbit
        One or several orbits.
    coordinates : tuple of two int or str, optional
        The coordinates, by index or name; by default, the first position and its momentum.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    **style
        Options of matplotlib's LineCollection, such as ``cmap="rainbow"`` for the colours of the paper.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the orbit has no such coordinate.
    """
    first, second = coordinates if coordinates is not None else (0, orbit.dim // 2)
    return planar(orbit, orbit.index(first), orbit.index(second), ax, **style)


def planar(orbit: Orbit, i: int, j: int, ax: Axes | None, **style: Any) -> Axes:
    """Draw the coordinates i and j of every orbit against each other."""
    if ax is None:
        ax = plt.subplots(figsize=(4.5, 4.2), layout="constrained")[1]
    paths = array(orbit.z)[..., [i, j]].reshape(-1, orbit.shape[-1], 2)
    times = np.broadcast_to(array(orbit.t), orbit.shape).reshape(-1, orbit.shape[-1])
    show(ax, extent(paths))
    limits = ax.get_xlim(), ax.get_ylim()
    label = style.pop("label", None)
    for k, (t, path) in enumerate(zip(times, paths, strict=True)):
        add_line(ax, path[:, 0], path[:, 1], t, label=label if k == 0 else None, **style)
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.set(xlabel=axis_label(orbit.coordinates[i], orbit.units), ylabel=axis_label(orbit.coordinates[j], orbit.units))
    return ax
