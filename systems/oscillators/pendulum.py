"""The pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.registry import register
from systems.sampling import generator
from systems.system import SeparableSystem, Symmetry


@register("pendulum")
@dataclass(frozen=True)
class Pendulum(SeparableSystem):
    r"""A point mass on a rigid rod, in units of its mass, its length and 1 / (small-swing frequency).

    .. math:: H = \tfrac12 p^2 + 1 - \cos\theta

    The state is ``z = (theta, p)``, theta in radians; below ``H = 2`` it swings, above it turns over.
    """

    coordinates: ClassVar = ("theta", "p")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """V(theta)."""
        return (1 - q.cos()).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """-dV/dtheta."""
        return -q.sin()

    def sample(self, n: int, *, seed: int = 0, amplitude: tuple[float, float] = (0.2, 2.5)) -> Float[Tensor, "n 2"]:
        """N swinging states, of amplitudes uniform in the range given [rad], at angles uniform within the swing."""
        low, high = amplitude
        if not 0 <= low <= high < pi:
            raise InputError(f"amplitudes must lie between 0 and pi, not in {amplitude}")
        first, second, sign = torch.rand(3, n, generator=generator(n, seed), dtype=torch.float64)
        swing = low + (high - low) * first
        theta = swing * (2 * second - 1)
        p = (2 * (theta.cos() - swing.cos())).clamp(min=0).sqrt() * (sign - 0.5).sign()
        return torch.stack([theta, p], dim=-1)
