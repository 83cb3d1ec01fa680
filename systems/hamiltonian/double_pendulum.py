"""The double pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import HamiltonianSystem, reverse_momenta
from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry


@register("double-pendulum")
@dataclass(frozen=True)
class DoublePendulum(HamiltonianSystem):
    r"""A pendulum attached to another one: two unit masses on two massless rods of unit length.

    .. math:: H = \frac{p_1^2 + 2 p_2^2 - 2 p_1 p_2 \cos(\theta_1 - \theta_2)}{2 (1 + \sin^2(\theta_1 - \theta_2))}
        - 2 g \cos\theta_1 - g \cos\theta_2

    The state is ``z = (theta_1, theta_2, p_1, p_2)``, with angles in radians from the downward vertical. H is not separable.
    Small swings have the angular frequencies sqrt(g (2 +- sqrt 2)).

    Parameters
    ----------
    gravity : float, default 9.81
        Gravitational acceleration g [m/s^2].

    Notes
    -----
    Use it for chaos that can be built and filmed: small swings are regular, large ones chaotic. Momenta cannot be measured
    directly; a model of the angles and their rates is ``lnn``.
    """

    gravity: float = 9.81
    coordinates: ClassVar = ("theta_1", "theta_2", "p_1", "p_2")
    periods: ClassVar = {"theta_1": 2 * pi, "theta_2": 2 * pi}
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def hamiltonian(self, z: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """Return the energy of each state, which is -3 g at rest."""
        first, second, p, s = z.unbind(-1)
        between = first - second
        kinetic = (p**2 + 2 * s**2 - 2 * p * s * between.cos()) / (2 * (1 + between.sin() ** 2))
        return kinetic - self.gravity * (2 * first.cos() + second.cos())

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        """Return (dH/dp, -dH/dq) in closed form."""
        first, second, p, s = z.unbind(-1)
        sin, cos = (first - second).sin(), (first - second).cos()
        inertia = 1 + sin**2
        # derivative of the kinetic energy with respect to the angle between the rods
        turning = (p * s - (p**2 + 2 * s**2 - 2 * p * s * cos) * cos / inertia) * sin / inertia
        return torch.stack(
            [
                (p - s * cos) / inertia,
                (2 * s - p * cos) / inertia,
                -turning - 2 * self.gravity * first.sin(),
                turning - self.gravity * second.sin(),
            ],
            dim=-1,
        )

    def sample(
        self, n: int, *, seed: int = 0, bounds: Bounds = ((-1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0))
    ) -> Float[Tensor, "n 4"]:
        """Draw initial states uniformly from a box.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high)
            Range of each coordinate, from -1 to 1 by default.

        Returns
        -------
        Tensor, shape ``(n, 4)``
            States in float64.
        """
        return box(n, bounds, seed)
