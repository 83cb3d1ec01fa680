"""How a system looks in space: the places of its bodies, and the rods between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from systems import SeparableSystem, System

Places = Callable[[System, Float[Tensor, "*batch D"]], Float[Tensor, "*batch bodies 2"]]
AROUND = 1.15  # half width of the picture, in units of the largest distance


@dataclass(frozen=True)
class Space:
    """A picture of a system in space, which its plane does not show.

    Parameters
    ----------
    places : callable
        Called with the system and its states; returns the places of the bodies.
    rods : tuple of pair of int, default ()
        Pairs of bodies that are joined; -1 is the origin.
    upright : bool, default True
        Whether both directions have the same scale and the origin is in the middle.
    """

    places: Places
    rods: tuple[tuple[int, int], ...] = ()
    upright: bool = True

    def extent(self, system: System, z: Float[Tensor, "n D"]) -> Float[Tensor, "2 2"]:
        """Return the limits of the picture for given states."""
        places = self.places(system, z).flatten(0, -2)
        if self.upright:
            half = AROUND * places.norm(dim=-1).amax()
            return torch.stack([-half, half]).expand(2, 2)
        low, high = places.amin(0), places.amax(0)
        margin = 0.12 * (high - low)
        return torch.stack([low - margin, high + margin], dim=-1)


def _hanging(length: Tensor | float, angle: Tensor) -> Tensor:
    """Return the place at a distance from the pivot, at an angle from the downward vertical."""
    return torch.stack([length * angle.sin(), -length * angle.cos()], dim=-1)


def _pendulum(system: System, z: Tensor) -> Tensor:
    return _hanging(1.0, z[..., 0])[..., None, :]


def _double_pendulum(system: System, z: Tensor) -> Tensor:
    upper = _hanging(1.0, z[..., 0])
    return torch.stack([upper, upper + _hanging(1.0, z[..., 1])], dim=-2)


def _spring(system: System, z: Tensor) -> Tensor:
    return z[..., None, :2]


def _atwood(system: System, z: Tensor) -> Tensor:
    return _hanging(z[..., 0], z[..., 1])[..., None, :]


def _ball(system: System, z: Tensor) -> Tensor:
    """Return a ball on the graph of the potential."""
    assert isinstance(system, SeparableSystem)
    return torch.stack([z[..., 0], system.potential(z[..., :1])], dim=-1)[..., None, :]


def _chain(system: System, z: Tensor) -> Tensor:
    """Return the displacements of a chain, one beside the other."""
    q = z[..., : system.dim // 2]
    return torch.stack([torch.arange(1.0, q.shape[-1] + 1, dtype=q.dtype).expand_as(q), q], dim=-1)


SPACES = {
    "pendulum": Space(_pendulum, ((-1, 0),)),
    "pendulum-clock": Space(_pendulum, ((-1, 0),)),
    "double-pendulum": Space(_double_pendulum, ((-1, 0), (0, 1))),
    "elastic-pendulum": Space(_spring, ((-1, 0),)),
    "swinging-atwood": Space(_atwood, ((-1, 0),)),
    "duffing": Space(_ball, upright=False),
    "harmonic-oscillator": Space(_ball, upright=False),
    "fput-alpha": Space(_chain, tuple((k, k + 1) for k in range(31)), upright=False),
}
