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
    r"""A rigid pendulum, by default in units of its moment of inertia and of 1 / (small-swing frequency).

    .. math:: H = \frac{p^2}{2I} + g (1 - \cos\theta)

    The state is ``z = (theta, p)``, theta in radians; below ``H = 2 g`` it swings, above it turns over. ``gravity`` is the
    weight times the distance of the centre of mass; small swings have the frequency :math:`\sqrt{g/I}`.
    """

    gravity: float = 1.0
    inertia: float = 1.0
    coordinates: ClassVar = ("theta", "p")
    periods: ClassVar = {"theta": 2 * pi}
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def kinetic(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """T(p)."""
        return p.square().sum(-1) / (2 * self.inertia)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """V(theta)."""
        return self.gravity * (1 - q.cos()).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """dT/dp = p / I."""
        return p / self.inertia

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """-dV/dtheta."""
        return -self.gravity * q.sin()

    def sample(self, n: int, *, seed: int = 0, amplitude: tuple[float, float] = (0.2, 2.5)) -> Float[Tensor, "n 2"]:
        """N swinging states, of amplitudes uniform in the range given [rad], at angles uniform within the swing."""
        low, high = amplitude
        if not 0 <= low <= high < pi:
            raise InputError(f"amplitudes must lie between 0 and pi, not in {amplitude}")
        first, second, sign = torch.rand(3, n, generator=generator(n, seed), dtype=torch.float64)
        swing = low + (high - low) * first
        theta = swing * (2 * second - 1)
        momentum = (2 * self.gravity * self.inertia * (theta.cos() - swing.cos())).clamp(min=0).sqrt()
        return torch.stack([theta, momentum * (sign - 0.5).sign()], dim=-1)
