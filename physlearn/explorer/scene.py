"""The plane or space in which a system is shown, its limits, and the points that the user drags in it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

import systems
from systems import HamiltonianSystem, InputError, Orbit, System
from systems.floats import takes_arrays

MARGIN = 0.25  # relative to the range of the training data, so that the user can drag beyond it
ARROW = 0.4  # length of the largest momentum in the training data, in half widths of the picture


@dataclass(frozen=True)
class Pace:
    """The initial duration of orbits, and the time step of the models' orbits."""

    time: float = 20.0
    step: float = 0.1


PACES = {  # in the order of the menu; other systems follow in alphabetical order
    "pendulum": Pace(),
    "double-pendulum": Pace(step=0.05),
    "henon-heiles": Pace(time=50.0),
    "kepler": Pace(time=20.0, step=0.05),
    "three-body": Pace(time=12.6, step=0.02),
    "lorenz": Pace(time=20.0, step=0.01),
    "pendulum-clock": Pace(),
    "van-der-pol": Pace(step=0.05),
    "elastic-pendulum": Pace(time=20.0),
    "swinging-atwood": Pace(time=10.0, step=0.02),
    "duffing": Pace(),
    "harmonic-oscillator": Pace(),
    "lotka-volterra": Pace(),
    "fitzhugh-nagumo": Pace(time=100.0, step=0.2),
    "tao-oscillator": Pace(time=10.0, step=0.05),
    "forced-duffing": Pace(time=50.0, step=0.05),
    "fput-alpha": Pace(time=200.0, step=0.4),
}
PLANES = {  # coordinates of each body, where these are not the first two or three
    "two-body": ((0, 1), (2, 3)),
    "three-body": ((0, 1), (2, 3), (4, 5)),
    "fput-alpha": ((0, 32),),
}


def names(also: str = "") -> list[str]:
    """Return the names of the systems that the page offers, including one that was asked for."""
    registered = systems.names()
    first = [name for name in PACES if name in registered]
    offered = [*first, *(name for name in registered if name not in PACES)]
    return [*offered, *([also] if also not in ("", *offered) else [])]


def check(system: System) -> None:
    """Raise InputError if the page has no plane for a system."""
    if system.dim < 2:
        raise InputError(f"{system.name} cannot be explored, because it has one coordinate: choose one with two or more")


@dataclass(frozen=True)
class Scene:
    """The plane or space in which a system is shown, and its limits.

    It is the plane of both coordinates, or of both positions of a system with two degrees of freedom; the space of three
    coordinates or positions; or the plane in which several bodies move.

    Parameters
    ----------
    coordinates : tuple of str
        Names of the D coordinates.
    extent : Tensor, shape (D, 2)
        The lowest and highest value of each coordinate in the training data, with a margin. Positions of several degrees of
        freedom have the same scale.
    arrow : float, default 0
        Length of the arrow that shows a unit of momentum, in units of position; 0 if the momentum is a coordinate of the
        plane.
    spread : float, default 0
        Scale of the energies in the training data; 0 without an energy.
    bodies : tuple of tuple of int, default ((0, 1),)
        Indices of the two or three coordinates that are drawn, for each body.
    energies : tuple of two float, optional
        The lowest and highest energy in the training data.
    """

    coordinates: tuple[str, ...]
    extent: Float[Tensor, "D 2"]
    arrow: float = 0.0
    spread: float = 0.0
    bodies: tuple[tuple[int, ...], ...] = ((0, 1),)
    energies: tuple[float, float] | None = None

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
        middle, half = (low + high) / 2, ((high - low) / 2 * (1 + MARGIN)).clamp(min=1e-9)
        bodies = PLANES.get(system.name) or (tuple(range(3 if system.dim in (3, 6) else 2)),)
        arrow = 0.0
        if system.dim >= 4 and len({i for body in bodies for i in body}) > 1 and max(bodies[0]) < system.dim // 2:
            positions = sorted({i for body in bodies for i in body})
            half[positions] = half[positions].amax()
            if system.dim == 4:
                arrow = float(ARROW * half[0] / z[:, 2:].abs().amax())
        spread, energies = 0.0, None
        if isinstance(system, HamiltonianSystem):
            h = system.hamiltonian(z)
            spread = float(torch.maximum(h.amax() - h.amin(), h.mean().abs()))
            energies = float(h.amin()), float(h.amax())
        extent = torch.stack([middle - half, middle + half], dim=-1)
        return cls(system.coordinates, extent, arrow, spread, bodies, energies)

    @takes_arrays("z")
    def points(self, z: Float[Tensor, " D"]) -> Float[Tensor, "n d"]:
        """Return the points that the user drags to change a state.

        Parameters
        ----------
        z : Tensor, shape (D,)
            The state.

        Returns
        -------
        Tensor, shape (n, 2) or (n, 3)
            The place of each body; for two degrees of freedom, the position and the tip of the arrow of its momentum.
        """
        places = torch.stack([z[list(body)] for body in self.bodies])
        if not self.arrow:
            return places
        q, p = z.chunk(2)
        return torch.stack([q, q + self.arrow * p])

    @takes_arrays("points", "z")
    def state(self, points: Float[Tensor, "n d"], z: Float[Tensor, " D"] | None = None) -> Float[Tensor, " D"]:
        """Return the state of given points. It is the inverse of `points`.

        Parameters
        ----------
        points : Tensor, shape (n, 2) or (n, 3)
            The points.
        z : Tensor, shape (D,), optional
            The state before, of which the coordinates that no point shows are kept; by default, they are zero.

        Returns
        -------
        Tensor, shape (D,)
            The state.
        """
        if self.arrow:
            return torch.cat([points[0], (points[1] - points[0]) / self.arrow])
        state = points.new_zeros(len(self.coordinates)) if z is None else z.clone()
        for place, body in zip(points, self.bodies, strict=True):
            state[list(body)] = place
        return state
