"""Contours of the energy, which are drawn behind the orbits."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from contourpy import contour_generator
from jaxtyping import Float

from physlearn.explorer.scene import Scene
from systems import HamiltonianSystem, Orbit, System

SIDE = 81  # points of the grid in each direction
LEVELS = 9

Lines = list[Float[np.ndarray, "n 2"]]


class Contours:
    """Contours of the potential, or of the Hamiltonian of a system with one degree of freedom, in the plane of a scene.

    Parameters
    ----------
    system : System
        The system.
    scene : Scene
        Its plane.
    seen : Orbit
        The training orbits, among whose energies the levels are.
    """

    def __init__(self, system: System, scene: Scene, seen: Orbit) -> None:
        self._generator = None
        self.lines: Lines = []
        self._potential = system.dim == 4
        if not isinstance(system, HamiltonianSystem) or system.dim not in (2, 4):
            return
        x, y = (torch.linspace(low, high, SIDE, dtype=torch.float64) for low, high in scene.extent[:2].tolist())
        z = torch.zeros(SIDE, SIDE, system.dim, dtype=torch.float64)
        z[..., 1], z[..., 0] = torch.meshgrid(y, x, indexing="ij")
        known = seen.z.flatten(0, -2).clone()
        known[:, 2:] = 0  # momenta
        heights = system.hamiltonian(known)
        self._generator = contour_generator(x.numpy(), y.numpy(), np.ma.masked_invalid(system.hamiltonian(z).numpy()))
        low, high = np.quantile(heights.numpy(), (0.0, 0.98))
        levels = low + (high - low) * np.linspace(0, 1, LEVELS + 1)[1:] ** 2  # evenly spaced lines around a minimum
        self.lines = [line for level in levels for line in self._at(float(level))]

    def limit(self, energy: float | None) -> Lines:
        """Return the contour of the potential that an orbit of this energy cannot cross, if there is one."""
        return self._at(energy) if self._potential and energy is not None else []

    def _at(self, level: float) -> Lines:
        return [] if self._generator is None else cast(Lines, self._generator.lines(level))
