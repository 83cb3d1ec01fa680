"""The Lorenz system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry, System


@register("lorenz")
@dataclass(frozen=True)
class Lorenz(System):
    r"""Convection in three numbers, the first strange attractor.

    .. math:: \dot x = \sigma (y - x), \quad \dot y = x (\rho - z) - y, \quad \dot z = x y - \beta z

    The state is ``z = (x, y, z)``, dimensionless. The largest Lyapunov exponent is 0.906 for the default parameters.

    Source: Lorenz, J. Atmos. Sci. 20, 130 (1963).
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8 / 3
    coordinates: ClassVar = ("x", "y", "z")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z * z.new_tensor([-1.0, -1.0, 1.0]),)

    @property
    def surface(self) -> tuple[str, float]:
        """The height of the two unstable points of rest, z = rho - 1."""
        return "z", self.rho - 1

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """(dx/dt, dy/dt, dz/dt)."""
        x, y, height = z.unbind(-1)
        return torch.stack([self.sigma * (y - x), x * (self.rho - height) - y, x * y - self.beta * height], dim=-1)

    def divergence(self, z: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """How fast phase-space volume shrinks: -(sigma + 1 + beta)."""
        return torch.full_like(z[..., 0], -(self.sigma + 1 + self.beta))

    def sample(
        self, n: int, *, seed: int = 0, bounds: Bounds = ((-15.0, 15.0), (-20.0, 20.0), (10.0, 40.0))
    ) -> Float[Tensor, "n 3"]:
        """n states, uniform in a box around the attractor."""
        return box(n, bounds, seed)
