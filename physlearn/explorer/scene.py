"""The plane in which a system is shown, its limits, and the points that the user drags in it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

import systems
from systems import HamiltonianSystem, Orbit, System
from systems.floats import takes_arrays

MARGIN = 0.25  # relative to the range of the training data, so that the user can drag beyond it
ARROW = 0.4  # length of the largest momentum in the training data, in half widths of the picture


@dataclass(frozen=True)
class Pace:
    """The initial duration and time step of orbits, chosen so that rk4 and gauss-legendre-4 keep up with a drag."""

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
    """Return the names of the systems that the page offers, including one that was asked for."""
    return [*PACES, *([also] if also not in ("", *PACES) else [])]


def check(system: System) -> None:
    """Raise InputError if the page has no plane for a system."""
    if not (system.autonomous and (system.dim == 2 or (isinstance(system, HamiltonianSystem) and system.dim == 4))):
        raise systems.InputError(
            f"{system.name} cannot be explored: choose a system that does not depend on time and has two coordinates, or a "
            "Hamiltonian with two degrees of freedom"
        )


@dataclass(frozen=True)
class Scene:
    """The plane in which a system is shown, and its limits.

    It is the plane of both coordinates, or of both positions of a system with two degrees of freedom.

    Parameters
    ----------
    coordinates : tuple of str
        Names of the D coordinates.
    extent : Tensor, shape (D, 2)
        The lowest and highest value of each coordinate in the training data, with a margin. Positions of two degrees of
        freedom have the same scale.
    arrow : float, default 0
        Length of the arrow that shows a unit of momentum, in units of position; 0 if the momentum is a coordinate of the
        plane.
    spread : float, default 0
        Scale of the energies in the training data; 0 without an energy.
    """

    coordinates: tuple[str, ...]
    extent: Float[Tensor, "D 2"]
    arrow: float = 0.0
    spread: float = 0.0

    @classmethod
    def of(cls, system: System, seen: Orbit) -> Scene:
        """Return the scene of a system.

        Parameters
        ----------
        system : System
            The system.
        seen : Orbit
            The training orbits of its models.

        Returns
        -------
        Scene
            The scene.

        Raises
        ------
        InputError
            If the page has no plane for the system.
        """
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
        """Return the points that the user drags to change a state.

        Parameters
        ----------
        z : Tensor, shape (D,)
            The state.

        Returns
        -------
        Tensor, shape (n, 2)
            The state; or, for two degrees of freedom, the position and the tip of the arrow of its momentum.
        """
        if not self.arrow:
            return z[None]
        q, p = z.chunk(2)
        return torch.stack([q, q + self.arrow * p])

    @takes_arrays("points")
    def state(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, " D"]:
        """Return the state of given points. It is the inverse of `points`.

        Parameters
        ----------
        points : Tensor, shape (n, 2)
            The points.

        Returns
        -------
        Tensor, shape (D,)
            The state.
        """
        if not self.arrow:
            return points[0]
        return torch.cat([points[0], (points[1] - points[0]) / self.arrow])
