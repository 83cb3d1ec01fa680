"""The double pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import HamiltonianSystem, Symmetry


@register("double-pendulum")
@dataclass(frozen=True)
class DoublePendulum(HamiltonianSystem):
    r"""A pendulum that hangs from another: two unit masses on two massless rods of unit length.

    .. math:: H = \frac{p_1^2 + 2 p_2^2 - 2 p_1 p_2 \cos(\theta_1 - \theta_2)}{2 (1 + \sin^2(\theta_1 - \theta_2))}
        - 2 g \cos\theta_1 - g \cos\theta_2

    The state is ``z = (theta_1, theta_2, p_1, p_2)``, angles from hanging down; ``gravity`` in m/s^2. It does not split into
    T(p) + V(q). Small swings have the frequencies sqrt(g (2 +- sqrt 2)).
    """

    gravity: float = 9.81
    coordinates: ClassVar = ("theta_1", "theta_2", "p_1", "p_2")
    periods: ClassVar = {"theta_1": 2 * pi, "theta_2": 2 * pi}
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def hamiltonian(self, z: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """The energy of each state; -3 g hanging at rest."""
        first, second, p, s = z.unbind(-1)
        between = first - second
        kinetic = (p**2 + 2 * s**2 - 2 * p * s * between.cos()) / (2 * (1 + between.sin() ** 2))
        return kinetic - self.gravity * (2 * first.cos() + second.cos())

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        """(dH/dp, -dH/dq), in closed form."""
        first, second, p, s = z.unbind(-1)
        sin, cos = (first - second).sin(), (first - second).cos()
        inertia = 1 + sin**2
        # the derivative of the kinetic energy by the angle between the two
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
        """n states, uniform in a box."""
        return box(n, bounds, seed)
