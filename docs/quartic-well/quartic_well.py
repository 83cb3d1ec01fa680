from dataclasses import dataclass
from typing import ClassVar

from systems import SeparableSystem
from systems.sampling import annulus


@dataclass(frozen=True)
class QuarticWell(SeparableSystem):
    """H = p^2 / 2 + stiffness q^4 / 4, dimensionless: the stronger it swings, the faster."""

    stiffness: float = 1.0
    coordinates: ClassVar = ("q", "p")

    def potential(self, q):
        return self.stiffness * q.pow(4).sum(-1) / 4

    def sample(self, n, *, seed=0):
        return annulus(n, 0.2, 1.0, seed)
