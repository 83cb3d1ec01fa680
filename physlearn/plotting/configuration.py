"""The orbit in configuration space."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from physlearn.plotting.phase_portrait import array, planar
from systems import InputError, Orbit

LEVELS = 6


def configuration_orbit(orbit: Orbit, *, system: Any = None, ax: Axes | None = None, **style: Any) -> Axes:
    """The path (q_1, q_2) of an orbit with two degrees of freedom, coloured by time; gives the axes.

    system: with a ``potential``, draws its level lines behind the orbit, and the line of the ``escape_energy`` where there
    is one. Raises InputError for orbits of fewer than four coordinates.
    """
    if orbit.dim < 4:
        raise InputError(
            f"a path in configuration space needs two positions, not {orbit.dim} coordinates; take phase_portrait"
        )
    ax = planar(orbit, 0, 1, ax, **style)
    if getattr(system, "separable", False) and orbit.dim == 4:
        _level_lines(ax, system)
    ax.set_aspect("equal")
    return ax


def _level_lines(ax: Axes, system: Any) -> None:
    (left, right), (low, high) = (_wider(*ax.get_xlim()), _wider(*ax.get_ylim()))
    x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(low, high, 120))
    potential = array(system.potential(torch.from_numpy(np.stack([x, y], axis=-1))))
    highest = getattr(system, "escape_energy", None) or float(np.quantile(potential, 0.7))
    ax.contour(x, y, potential, np.linspace(0, highest, LEVELS + 1)[1:-1], colors="0.85", linewidths=0.6, zorder=0)
    ax.contour(x, y, potential, [highest], colors="0.6", linewidths=0.8, zorder=0)
    ax.set(xlim=(left, right), ylim=(low, high))


def _wider(low: float, high: float) -> tuple[float, float]:
    margin = 0.15 * (high - low)
    return low - margin, high + margin
