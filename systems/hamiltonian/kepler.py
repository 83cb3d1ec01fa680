"""The Kepler problem."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import generator
from systems.system import Symmetry


@register("kepler")
@dataclass(frozen=True)
class Kepler(SeparableSystem):
    r"""A planet that a fixed sun attracts, in the plane of its orbit: the relative motion of two bodies.

    .. math:: H = \tfrac12 (p_x^2 + p_y^2) - \mu / r

    The state is ``z = (x, y, p_x, p_y)``. For mu = 1, the units are the semi-major axis and the period divided by 2 pi. The
    energy, the angular momentum x p_y - y p_x and the direction of the ellipse are conserved. An ellipse with semi-major axis
    a has period 2 pi sqrt(a^3 / mu).

    Parameters
    ----------
    mu : float, default 1
        Strength of the attraction.

    Notes
    -----
    Use it to test integrators: the exact orbit is known, and an eccentric orbit is fast near the sun and slow elsewhere, so
    that constant steps are costly.
    """

    mu: float = 1.0
    coordinates: ClassVar = ("x", "y", "p_x", "p_y")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (
        lambda z: -z,
        lambda z: z * z.new_tensor([-1.0, 1.0, -1.0, 1.0]),
    )
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return -mu / r."""
        return -self.mu / q.norm(dim=-1)

    def velocity(self, p: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return -mu q / r^3."""
        return -self.mu * q / q.norm(dim=-1, keepdim=True) ** 3

    def sample(self, n: int, *, seed: int = 0, eccentricity: tuple[float, float] = (0.0, 0.5)) -> Float[Tensor, "n 4"]:
        """Draw initial states on ellipses with semi-major axis 1, at random orientations and eccentric anomalies.

        About half of the orbits are clockwise.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        eccentricity : (float, float), default (0, 0.5)
            Range from which each eccentricity is drawn uniformly.

        Returns
        -------
        Tensor, shape ``(n, 4)``
            States in float64.

        Raises
        ------
        InputError
            Unless 0 <= low <= high < 1 for the range of eccentricities.
        """
        low, high = eccentricity
        if not 0 <= low <= high < 1:
            raise InputError(f"eccentricity must be a range with 0 <= low <= high < 1, not {eccentricity}")
        u = torch.rand(4, n, generator=generator(n, seed), dtype=torch.float64)
        e, turn, anomaly = low + (high - low) * u[0], 2 * pi * u[1], 2 * pi * u[2]
        minor = (1 - e**2).sqrt() * torch.where(u[3] < 0.5, 1.0, -1.0)
        x, y = anomaly.cos() - e, minor * anomaly.sin()
        speed = self.mu**0.5 / (1 - e * anomaly.cos())
        p_x, p_y = -speed * anomaly.sin(), speed * minor * anomaly.cos()
        c, s = turn.cos(), turn.sin()
        return torch.stack([c * x - s * y, s * x + c * y, c * p_x - s * p_y, s * p_x + c * p_y], dim=-1)
