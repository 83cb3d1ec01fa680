"""The Lotka-Volterra system, in canonical coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import annulus
from systems.system import SeparableSystem


@register("lotka-volterra")
@dataclass(frozen=True)
class LotkaVolterra(SeparableSystem):
    r"""Prey x and predators y, in the logarithms that make them canonical: q = ln x, p = ln y.

    .. math:: H = p - e^p + q - e^q, \quad \dot x = x (1 - y), \quad \dot y = y (x - 1)

    The state is ``z = (q, p)``, in units of the numbers at balance, which is the origin. The orbit through x = 2, y = 1 has
    the period 6.60848267.

    Source: Kerner, Bull. Math. Biophys. 26, 333 (1964).
    """

    coordinates: ClassVar = ("q", "p")

    def kinetic(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """p - e^p: no energy of motion, but the part of H that moves the prey."""
        return (p - p.exp()).sum(-1)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """q - e^q."""
        return (q - q.exp()).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """1 - e^p."""
        return 1 - p.exp()

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """e^q - 1."""
        return q.exp() - 1

    def sample(self, n: int, *, seed: int = 0, inner: float = 0.2, outer: float = 1.5) -> Float[Tensor, "n 2"]:
        """n states, uniform over the annulus between two radii around balance."""
        return annulus(n, inner, outer, seed)
