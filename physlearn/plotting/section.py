"""Poincare sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from physlearn.plotting.color_map import ORDERED
from physlearn.plotting.names import symbol
from physlearn.plotting.window import extent, show
from systems import HamiltonianSystem, InputError
from systems.sampling import energy_across, plane_of

SEA = 0.35  # grey level of chaotic orbits, which form one chaotic sea
GRID = 241


def section_plot(
    points: pd.DataFrame,
    plane: tuple[str, str],
    *,
    chaotic: Sequence[bool] | None = None,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw the points at which orbits cross a surface, one colour per orbit.

    Parameters
    ----------
    points : DataFrame
        One row per crossing, with the column ``orbit`` and one for each coordinate, see `~physlearn.chaos.Section.to_frame`.
    plane : tuple of two str
        The coordinates on the horizontal and vertical axes.
    chaotic : sequence of bool, optional
        Whether each orbit is chaotic, by its number. Chaotic orbits are drawn in grey.
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
        If a coordinate of the plane is not among the columns.
    """
    if missing := [name for name in plane if name not in points]:
        raise InputError(f"there is no coordinate {missing[0]!r} in a section with {', '.join(map(str, points))}")
    if ax is None:
        ax = plt.subplots(figsize=(4.5, 4.2), layout="constrained")[1]
    orbit = points["orbit"].to_numpy()
    x, y = (points[name].to_numpy() for name in plane)
    many = int(orbit.max()) + 1 if len(orbit) else 1
    colours = ORDERED(np.linspace(0, 1, many))[orbit]
    if chaotic is not None:
        colours[np.asarray(chaotic, dtype=bool)[orbit]] = (SEA,) * 3 + (1.0,)
    if len(orbit):
        show(ax, extent(np.stack([x, y], axis=-1)[None]))
    limits = ax.get_xlim(), ax.get_ylim()
    ax.scatter(x, y, **{"s": 1.0, "c": colours, "linewidths": 0, "rasterized": True, **style})
    ax.set(xlim=limits[0], ylim=limits[1], xlabel=symbol(plane[0]), ylabel=symbol(plane[1]))
    return ax


def section_boundary(
    system: HamiltonianSystem, energy: float, surface: tuple[str, float] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the boundary of the energetically accessible part of a section, within the limits of the axes.

    Parameters
    ----------
    system : HamiltonianSystem
        A system with two degrees of freedom.
    energy : float
        The energy.
    surface : tuple of str and float, optional
        The position that defines the surface, and its value; by default, the system's own surface.
    ax : Axes, optional
        Where to draw: axes of the other position and its momentum; by default, pyplot's current axes.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the system or surface is of another kind.
    """
    surface = system.surface if surface is None else surface
    ax = plt.gca() if ax is None else ax
    across, other = plane_of(system, surface[0])
    x, y = np.meshgrid(*(np.linspace(*limits, GRID) for limits in (ax.get_xlim(), ax.get_ylim())))
    z = torch.zeros(x.size, 4, dtype=torch.float64)
    z[:, across] = surface[1]
    z[:, other], z[:, other + 2] = torch.from_numpy(x.ravel()), torch.from_numpy(y.ravel())
    lowest = array(energy_across(system, z, across)[2]).reshape(x.shape)
    ax.contour(x, y, lowest, [energy], colors="0.7", linewidths=0.8, zorder=0)
    return ax
