"""The harmonic oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import annulus
from systems.system import SeparableSystem, Symmetry


@register("harmonic-oscillator")
@dataclass(frozen=True)
class HarmonicOscillator(SeparableSystem):
    r"""A mass on a spring, with the period :math:`2\pi/\omega`.

    .. math:: H = \frac{p^2}{2m} + \tfrac12 m \omega^2 q^2
    """

    frequency: float = 1.0
    mass: float = 1.0
    coordinates: ClassVar = ("q", "p")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def kinetic(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """T(p)."""
        return p.square().sum(-1) / (2 * self.mass)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """V(q)."""
        return self.mass * self.frequency**2 * q.square().sum(-1) / 2

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """dT/dp = p / m."""
        return p / self.mass

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """-dV/dq."""
        return -self.mass * self.frequency**2 * q

    def sample(self, n: int, *, seed: int = 0, inner: float = 0.2, outer: float = 1.0) -> Float[Tensor, "n 2"]:
        """n states, uniform over the annulus between two radii of phase space."""
        return annulus(n, inner, outer, seed)
