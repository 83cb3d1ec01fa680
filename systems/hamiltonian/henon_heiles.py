"""The Henon-Heiles system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import cos, pi, sin, sqrt
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian.cubic_well import CubicWell
from systems.registry import register
from systems.system import Symmetry

OPENINGS = {"top": pi / 2, "left": 7 * pi / 6, "right": 11 * pi / 6}  # the directions of the saddles
OPENING = 1.2  # distance of an opening from the origin; the saddles are at 1


def _beyond(z: Tensor, turn: float, coupling: float) -> Tensor:
    """Return how far states are beyond the opening in a direction."""
    return coupling * (cos(turn) * z[..., 0] + sin(turn) * z[..., 1]) - OPENING


def _rotate(z: Tensor) -> Tensor:
    """Rotate positions and momenta by 120 degrees."""
    turn = z.new_tensor([[-0.5, -sqrt(3) / 2], [sqrt(3) / 2, -0.5]])
    return torch.cat([z[..., :2] @ turn.T, z[..., 2:] @ turn.T], dim=-1)


def _mirror(z: Tensor) -> Tensor:
    """Reflect x to -x."""
    return z * z.new_tensor([-1.0, 1.0, -1.0, 1.0])


@register("henon-heiles")
@dataclass(frozen=True)
class HenonHeiles(CubicWell):
    r"""A star in the meridional plane of an axisymmetric galaxy.

    .. math:: H = \tfrac12 (p_x^2 + p_y^2) + \tfrac12 (x^2 + y^2) + \lambda (x^2 y - \tfrac13 y^3)

    The state is ``z = (x, y, p_x, p_y)``, dimensionless. Motion below the escape energy ``1 / (6 coupling^2)`` is bounded
    inside the triangle with corners (0, 1) and (+-sqrt(3)/2, -1/2), in units of ``1 / coupling``.

    Parameters
    ----------
    coupling : float, default 1
        Coefficient lambda of the cubic terms, which must not be 0.

    Raises
    ------
    InputError
        If the coupling is 0.

    Notes
    -----
    Use it for the transition from order to chaos: nearly all orbits are regular at H = 1/12, and most are chaotic just below
    the escape energy. It is also a common test of learned Hamiltonians.

    References
    ----------
    Henon and Heiles, Astron. J. 69, 73 (1964).
    """

    coupling: float = 1.0
    coordinates: ClassVar = ("x", "y", "p_x", "p_y")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (_rotate, _mirror)
    stiffness: ClassVar = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coupling == 0:
            raise InputError("coupling must be a number other than 0")

    @property
    def escape_energy(self) -> float:
        """Energy of the three saddles, 1 / (6 coupling^2)."""
        return 1 / (6 * self.coupling**2)

    @property
    def exits(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """The three openings above the escape energy: functions of the state that are positive beyond an opening.

        An opening is the line at 1.2 / coupling from the origin, across the direction of a saddle. An orbit that has passed it
        does not return: for coupling 1, the force beyond the upper line points outward where x^2 < y (y - 1), which holds
        wherever V < 0.55.
        """
        return {name: partial(_beyond, turn=turn, coupling=self.coupling) for name, turn in OPENINGS.items()}

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return V(x, y)."""
        x, y = q.unbind(-1)
        return (x**2 + y**2) / 2 + self.coupling * (x**2 * y - y**3 / 3)

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return -dV/dq."""
        x, y = q.unbind(-1)
        return torch.stack([-x - 2 * self.coupling * x * y, -y - self.coupling * (x**2 - y**2)], dim=-1)

    def inside(self, q: Float[Tensor, "n 2"]) -> Bool[Tensor, " n"]:
        """Return whether points lie inside the triangle."""
        x, y = self.coupling * q[:, 0], self.coupling * q[:, 1]
        return (y > -0.5) & (sqrt(3) * x.abs() <= 1 - y)
