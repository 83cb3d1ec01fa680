"""All that does not change while one system is explored: its scene, contours and picture in space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import models
from physlearn.explorer import scene as scenes
from physlearn.explorer.asked import plain
from physlearn.explorer.contours import Contours
from physlearn.explorer.equation import coordinate, equation
from physlearn.explorer.learning import Learning
from physlearn.explorer.scene import PACES, Pace, Scene
from physlearn.explorer.sections import has_section, plane_indices
from physlearn.explorer.space import SPACES
from systems import HamiltonianSystem, Orbit, System
from systems.periodic import shortest

FIRST = {"three-body": {"spread": 0.0}}  # the figure eight itself
SEEN = 40  # training orbits that set the limits
BELOW = 0.25  # how far energies may be below those of the training data, relative to their range: orbits near rest are inside
FAR = 3.0  # distance from the centre, in half widths of the picture, beyond which an orbit is cut


class Stage:
    """All that does not change while one system is explored.

    Parameters
    ----------
    system : System
        The system.
    learning : Learning
        How its models are trained. Some of their training orbits set the limits of the pictures.
    """

    def __init__(self, system: System, learning: Learning) -> None:
        scenes.check(system)
        self.system = system
        few = replace(learning, orbits=min(learning.orbits, SEEN), noise=0.0)
        protocol, (seen, _) = few.protocol(system), few.data(system)
        self.scene = Scene.of(system, seen)
        self.contours = Contours(system, self.scene, seen)
        self.space = SPACES.get(system.name)
        self.pace = PACES.get(system.name, Pace())
        self.z0 = system.sample(1, seed=2, **FIRST.get(system.name, protocol.test_sample))[0]
        self._seen = seen.z.flatten(0, -2)

    def told(self) -> dict[str, Any]:
        """Return the description of the stage for the page."""
        system, scene = self.system, self.scene
        axes = scene.bodies[0]
        reply: dict[str, Any] = {
            "system": system.name,
            "equation": equation(system),
            "coordinates": list(system.coordinates),
            "symbols": [coordinate(name) for name in system.coordinates],
            "extent": [plain(scene.extent[i]) for i in axes],
            "first": plain(scene.extent[0]),
            "axes": list(axes),
            "periods": [system.periods.get(system.coordinates[i], 0.0) for i in axes],
            "arrow": scene.arrow,
            "equal": system.dim > 3 and max(axes) < system.dim // 2,
            "contours": [plain(torch.as_tensor(line)) for line in self.contours.lines],
            "conserved": isinstance(system, HamiltonianSystem),
            "spread": scene.spread,
            "z0": self.z0.tolist(),
            "time": self.pace.time,
            "dt": self.pace.step,
            "models": [name for name in models.names() if suits(name, system)],
            "section": None,
            "space": None,
        }
        if has_section(system):
            surface, value = system.surface
            cut = plane_indices(system)
            reply["section"] = {
                "extent": [plain(scene.extent[i]) for i in cut],
                "symbols": [coordinate(system.coordinates[i]) for i in cut],
                "surface": f"{coordinate(surface)} = {value:g}",
            }
        if self.space is not None:
            curve = []
            if not self.space.upright and system.dim == 2:  # the graph on which a ball rolls
                z = torch.zeros(101, 2, dtype=torch.float64)
                low, high = scene.extent[0].tolist()
                z[:, 0] = torch.linspace(low, high, 101)
                curve = plain(self.space.places(system, z)[:, 0])
            reply["space"] = {
                "extent": plain(self.space.extent(system, self._seen)),
                "rods": [list(rod) for rod in self.space.rods],
                "curve": curve,
            }
        return reply

    def within(self, orbit: Orbit) -> Orbit:
        """Return the orbit until it leaves the picture for good. A diverging orbit would otherwise be drawn across it."""
        shown = [i for body in self.scene.bodies for i in body]
        extent = self.scene.extent[shown]
        z = shortest(orbit.z, self.system.periods, self.system.coordinates)[:, shown]
        away = (z - extent.mean(-1)).abs() > FAR * extent.diff(dim=-1)[:, 0] / 2
        gone = (away.any(-1) | ~orbit.z.isfinite().all(-1)).nonzero()
        return orbit[..., : max(2, int(gone[0]))] if len(gone) else orbit

    def drawn(self, z: Float[Tensor, "T D"]) -> dict[str, Any]:
        """Return the places along an orbit: of each body in the plane, of the first coordinate, and in space."""
        near = shortest(z, self.system.periods, self.system.coordinates)
        reply = {"bodies": [plain(near[:, list(body)].T) for body in self.scene.bodies], "first": plain(near[:, 0])}
        if self.space is not None:
            reply["space"] = plain(self.space.places(self.system, z).permute(1, 2, 0))
        return reply

    def unseen(self, z0: Float[Tensor, " D"], energy: float | None) -> bool:
        """Return whether a state is outside of the training data, where models extrapolate."""
        if energy is not None and self.scene.energies is not None:
            low, high = self.scene.energies
            return not low - BELOW * (high - low) <= energy <= high
        return bool(((z0 < self._seen.amin(0)) | (z0 > self._seen.amax(0))).any())


def suits(model: str, system: System) -> bool:
    """Return whether the page offers a model for a system: networks, of energies only where there are momenta."""
    kind = models.find(model)
    if kind.baseline or kind.continues or not system.autonomous:
        return False
    return system.canonical or not kind.needs_momenta()
