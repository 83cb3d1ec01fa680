"""The gravitational three-body problem in a plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import generator
from systems.system import Symmetry

# positions and velocities of the figure-eight orbit of Chenciner and Montgomery
X, Y, U, V = 0.97000436, -0.24308753, -0.93240737, -0.86473146
FIGURE_EIGHT = (X, Y, -X, -Y, 0.0, 0.0, -U / 2, -V / 2, -U / 2, -V / 2, U, V)


def _exchange(z: Tensor) -> Tensor:
    """Exchange the first two bodies."""
    return z[..., [2, 3, 0, 1, 4, 5, 8, 9, 6, 7, 10, 11]]


@register("three-body")
@dataclass(frozen=True)
class ThreeBody(SeparableSystem):
    r"""Three equal masses in a plane with Newtonian attraction; the masses and the gravitational constant are 1.

    .. math:: H = \tfrac12 \sum_i p_i^2 - \sum_{i<j} 1 / |r_i - r_j|

    The state is ``z = (x_1, y_1, .., x_3, y_3, p_x1, p_y1, .., p_x3, p_y3)``. Momentum and angular momentum are conserved.
    ``FIGURE_EIGHT`` is an initial state of the periodic orbit on which the bodies follow each other along a figure eight, with
    energy -1.28714199 and period 6.32591398.

    Notes
    -----
    Use it for a Hamiltonian with twelve coordinates, for choreographies such as the figure eight, and for close encounters
    that need adaptive steps.

    References
    ----------
    Chenciner and Montgomery, Annals of Mathematics 152, 881 (2000).
    """

    coordinates: ClassVar = ("x_1", "y_1", "x_2", "y_2", "x_3", "y_3", "p_x1", "p_y1", "p_x2", "p_y2", "p_x3", "p_y3")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (_exchange, lambda z: -z)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def potential(self, q: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch"]:
        """Return V, which depends on the three distances."""
        return -sum((1 / d.norm(dim=-1) for d in self._distances(q)), start=torch.zeros_like(q[..., 0]))

    def velocity(self, p: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 6"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 6"]:
        """Return -dV/dq."""
        a, b, c = (d / d.norm(dim=-1, keepdim=True) ** 3 for d in self._distances(q))
        return torch.cat([c - b, a - c, b - a], dim=-1)

    def sample(self, n: int, *, seed: int = 0, spread: float = 0.02) -> Float[Tensor, "n 12"]:
        """Draw initial states near the figure-eight orbit, with the centre of mass at rest at the origin.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        spread : float, default 0.02
            Standard deviation of the normally distributed deviation of each coordinate.

        Returns
        -------
        Tensor, shape ``(n, 12)``
            States in float64.
        """
        off = torch.randn(n, 12, generator=generator(n, seed), dtype=torch.float64).reshape(n, 2, 3, 2)
        off = (off - off.mean(2, keepdim=True)).flatten(1)
        return torch.tensor(FIGURE_EIGHT, dtype=torch.float64) + spread * off

    def _distances(self, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the vectors between bodies: second to third, third to first, and first to second."""
        one, two, three = q.unflatten(-1, (3, 2)).unbind(-2)
        return three - two, one - three, two - one
