"""Orbits in configuration space."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from scipy.ndimage import label as connected

from physlearn.plotting.array import array
from physlearn.plotting.phase_portrait import planar
from physlearn.plotting.window import extent, show
from systems import InputError, Orbit, SeparableSystem, System

LEVELS = 6
GRID = 241
AROUND = 3.0  # size of the region in which the walls of the well are searched, relative to the orbit


def configuration_orbit(orbit: Orbit, *, system: System | None = None, ax: Axes | None = None, **style: Any) -> Axes:
    """Draw the path (q_1, q_2) of an orbit with two degrees of freedom, coloured by time.

    Parameters
    ----------
    orbit : Orbit
        One or several orbits with at least four coordinates.
    system : System, optional
        If it has a ``potential``, draw its level lines behind the orbit. The level at the energy of the orbit, where the orbit
        comes to rest, is darker. The level at the ``escape_energy``, if there is one, is dashed.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    **style
        Options of matplotlib's LineCollection.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If an orbit has fewer than four coordinates.
    """
    if orbit.dim < 4:
        raise InputError(
            f"configuration space needs an orbit with at least four coordinates, not {orbit.dim}; use phase_portrait instead"
        )
    ax = planar(orbit, 0, 1, ax, **style)
    level_lines(orbit, system, ax)
    ax.set_aspect("equal")
    ax.locator_params(nbins=6)
    return ax


def level_lines(orbit: Orbit, system: System | None, ax: Axes) -> None:
    """Draw the level lines of the potential of two coordinates, if there is one, and show the whole well of the orbit."""
    if not getattr(system, "separable", False) or orbit.dim != 4:
        return
    system = cast(SeparableSystem, system)
    own = extent(array(orbit.z)[..., :2])
    middle, half = own.mean(axis=1), np.ptp(own, axis=1).max() / 2 * AROUND
    escape = getattr(system, "escape_energy", None)
    energy = array(system.hamiltonian(orbit.z[..., 0, :])).reshape(-1)
    highest = escape if escape is not None else float(energy.max())
    x, y, potential = _on_grid(system, np.stack([middle - half, middle + half], axis=1))
    show(ax, _well(x, y, potential < 0.999 * highest, middle, own))
    x, y, potential = _on_grid(system, np.array([ax.get_xlim(), ax.get_ylim()]))
    levels = np.linspace(potential.min(), highest, LEVELS + 1)[1:-1]
    ax.contour(x, y, potential, levels, colors="0.88", linewidths=0.7, zorder=0)
    if np.ptp(energy) <= 1e-3 * np.abs(energy).max():
        ax.contour(x, y, potential, energy[:1], colors="0.55", linewidths=0.9, zorder=0)
    if escape is not None:
        ax.contour(x, y, potential, [escape], colors="0.55", linewidths=0.9, linestyles="dashed", zorder=0)


def _on_grid(system: SeparableSystem, box: Float[np.ndarray, "2 2"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.meshgrid(*(np.linspace(low, high, GRID) for low, high in box))
    return x, y, array(system.potential(torch.from_numpy(np.stack([x, y], axis=-1))))


def _well(
    x: np.ndarray, y: np.ndarray, inside: np.ndarray, middle: np.ndarray, own: Float[np.ndarray, "2 2"]
) -> Float[np.ndarray, "2 2"]:
    """Return the box around the well in which the orbit moves, or around the orbit itself if the well is open or far wider."""
    parts, _ = connected(inside)
    centre = np.unravel_index(np.argmin((x - middle[0]) ** 2 + (y - middle[1]) ** 2), x.shape)
    well = parts == parts[centre]
    closed = inside[centre] and not (well[0].any() or well[-1].any() or well[:, 0].any() or well[:, -1].any())
    return np.array([[x[well].min(), x[well].max()], [y[well].min(), y[well].max()]]) if closed else own
