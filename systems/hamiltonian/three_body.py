"""Three bodies that attract each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import generator
from systems.system import SeparableSystem, Symmetry

# the figure-eight orbit: positions and velocities of Chenciner and Montgomery
X, Y, U, V = 0.97000436, -0.24308753, -0.93240737, -0.86473146
FIGURE_EIGHT = (X, Y, -X, -Y, 0.0, 0.0, -U / 2, -V / 2, -U / 2, -V / 2, U, V)


def _exchange(z: Tensor) -> Tensor:
    """The first two bodies change places."""
    return z[..., [2, 3, 0, 1, 4, 5, 8, 9, 6, 7, 10, 11]]


@register("three-body")
@dataclass(frozen=True)
class ThreeBody(SeparableSystem):
    r"""Three equal masses in a plane that attract each other by Newton's law; masses and the constant of gravity are 1.

    .. math:: H = \tfrac12 \sum_i p_i^2 - \sum_{i<j} 1 / |r_i - r_j|

    The state is ``z = (x_1, y_1, .., x_3, y_3, p_x1, p_y1, .., p_x3, p_y3)``. Momentum and angular momentum are conserved.
    ``FIGURE_EIGHT`` is the start of the choreography in which the three follow each other on an eight, with E = -1.28714199
    and the period 6.32591398.

    Source: Chenciner and Montgomery, Annals of Mathematics 152, 881 (2000).
    """

    coordinates: ClassVar = ("x_1", "y_1", "x_2", "y_2", "x_3", "y_3", "p_x1", "p_y1", "p_x2", "p_y2", "p_x3", "p_y3")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (_exchange, lambda z: -z)

    def potential(self, q: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch"]:
        """V, of the three distances."""
        return -sum((1 / d.norm(dim=-1) for d in self._distances(q)), start=torch.zeros_like(q[..., 0]))

    def velocity(self, p: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 6"]:
        """dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 6"]:
        """-dV/dq."""
        a, b, c = (d / d.norm(dim=-1, keepdim=True) ** 3 for d in self._distances(q))
        return torch.cat([c - b, a - c, b - a], dim=-1)

    def sample(self, n: int, *, seed: int = 0, spread: float = 0.02) -> Float[Tensor, "n 12"]:
        """n states near the figure-eight, each number off by a normal deviate times ``spread``, the middle of mass at rest."""
        off = torch.randn(n, 12, generator=generator(n, seed), dtype=torch.float64).reshape(n, 2, 3, 2)
        off = (off - off.mean(2, keepdim=True)).flatten(1)
        return torch.tensor(FIGURE_EIGHT, dtype=torch.float64) + spread * off

    def _distances(self, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From the second body to the third, from the third to the first, from the first to the second."""
        one, two, three = q.unflatten(-1, (3, 2)).unbind(-2)
        return three - two, one - three, two - one
