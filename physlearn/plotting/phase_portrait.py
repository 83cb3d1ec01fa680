"""The phase portrait."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from physlearn.plotting.colored_line import colored_by_time
from physlearn.plotting.names import index_of, symbol
from systems import Orbit


def phase_portrait(
    orbit: Orbit, coordinates: tuple[int | str, int | str] | None = None, *, ax: Axes | None = None, **style: Any
) -> Axes:
    """One coordinate against another, coloured by time; all orbits of a batch in one picture.

    coordinates: names or indices; by default the first position and its momentum. Gives the axes.
    """
    first, second = coordinates if coordinates is not None else (0, orbit.dim // 2)
    return planar(orbit, index_of(orbit, first), index_of(orbit, second), ax, **style)


def planar(orbit: Orbit, i: int, j: int, ax: Axes | None, **style: Any) -> Axes:
    """Draw the coordinates i and j of every orbit against each other."""
    if ax is None:
        ax = plt.subplots(figsize=(4.5, 4.2), layout="constrained")[1]
    t = array(orbit.t)
    for z in array(orbit.z).reshape(-1, len(t), orbit.dim):
        colored_by_time(ax, z[:, i], z[:, j], t, **style)
    ax.set(xlabel=symbol(orbit.coordinates[i]), ylabel=symbol(orbit.coordinates[j]))
    return ax


def array(values: Any) -> NDArray[np.float64]:
    """A tensor as a NumPy array on the CPU, in float64."""
    return values.detach().cpu().double().numpy()
