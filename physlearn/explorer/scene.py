"""Scene: in which plane a system is shown, within which limits, and where in it the points are that are dragged."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

import systems
from systems import HamiltonianSystem, Orbit, System
from systems.floats import takes_arrays

MARGIN = 0.25  # around what the models have seen: room to drag beyond it
ARROW = 0.4  # of half the picture: the largest momentum that the models have seen


@dataclass(frozen=True)
class Pace:
    """How long orbits are at first, and in which steps: a drag is answered at once, by rk4 and by gauss-legendre-4."""

    time: float = 20.0
    step: float = 0.25


PACES = {
    "pendulum": Pace(),
    "duffing": Pace(),
    "harmonic-oscillator": Pace(),
    "lotka-volterra": Pace(),
    "tao-oscillator": Pace(time=5.0, step=0.1),
    "van-der-pol": Pace(time=10.0, step=0.05),
    "fitzhugh-nagumo": Pace(time=50.0, step=0.5),
    "henon-heiles": Pace(),
    "general-henon-heiles": Pace(),
    "elastic-pendulum": Pace(time=10.0, step=0.1),
    "kepler": Pace(time=10.0, step=0.1),
}


def names(also: str = "") -> list[str]:
    """The systems that the page offers, and one that is asked for beside them."""
    return [*PACES, *([also] if also not in ("", *PACES) else [])]


def check(system: System) -> None:
    """Raise InputError for a system that the page has no plane for."""
    if not (system.autonomous and (system.dim == 2 or (isinstance(system, HamiltonianSystem) and system.dim == 4))):
        raise systems.InputError(
            f"{system.name} cannot be explored: that takes two coordinates, or a Hamiltonian of two degrees of freedom, and "
            "no dependence on time"
        )


@dataclass(frozen=True)
class Scene:
    """The plane of a system with two coordinates, or of the positions of one with two degrees of freedom.

    extent: ``(D, 2)``, the lowest and highest value of each coordinate that the models have seen, with a margin; positions of
    two degrees of freedom have the same scale. arrow: how long the picture of a unit of momentum is, in units of position;
    0 where the momentum is a coordinate of the plane. spread: of the energy that the models have seen; 0 without one.
    """

    coordinates: tuple[str, ...]
    extent: Float[Tensor, "D 2"]
    arrow: float = 0.0
    spread: float = 0.0

    @classmethod
    def of(cls, system: System, seen: Orbit) -> Scene:
        """The scene for a system whose models have seen these orbits. Raises InputError for one that has no plane."""
        check(system)
        z = seen.z.flatten(0, -2)
        low, high = z.amin(0), z.amax(0)
        middle, half = (low + high) / 2, (high - low) / 2 * (1 + MARGIN)
        arrow = 0.0
        if system.dim == 4:
            half[:2] = half[:2].amax()
            arrow = float(ARROW * half[0] / z[:, 2:].abs().amax())
        spread = 0.0
        if isinstance(system, HamiltonianSystem):
            h = system.hamiltonian(z)
            spread = float(torch.maximum(h.amax() - h.amin(), h.mean().abs()))
        return cls(system.coordinates, torch.stack([middle - half, middle + half], dim=-1), arrow, spread)

    @takes_arrays("z")
    def points(self, z: Float[Tensor, " D"]) -> Float[Tensor, "n 2"]:
        """The points that are dragged: the state; for two degrees of freedom the position, and the tip of its momentum."""
        if not self.arrow:
            return z[None]
        q, p = z.chunk(2)
        return torch.stack([q, q + self.arrow * p])

    @takes_arrays("points")
    def state(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, " D"]:
        """The state that has these points."""
        if not self.arrow:
            return points[0]
        return torch.cat([points[0], (points[1] - points[0]) / self.arrow])
