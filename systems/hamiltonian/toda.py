"""The Toda ring."""

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


@register("toda-ring")
@dataclass(frozen=True)
class TodaRing(SeparableSystem):
    r"""Three particles on a ring with exponential springs, a nonlinear but integrable system.

    .. math:: H = \tfrac12 \sum_i p_i^2 + \sum_i e^{q_i - q_{i+1}} - 3

    The state is ``z = (q_1, q_2, q_3, p_1, p_2, p_3)``, dimensionless. The eigenvalues of the Lax matrix (see `lax`) are
    conserved. To third order in q and with the centre of mass removed, this is the Henon-Heiles system.

    Notes
    -----
    Use it to test whether a forecast keeps conserved quantities other than the energy, and as an integrable neighbour of
    Henon-Heiles.

    References
    ----------
    Toda, J. Phys. Soc. Jpn. 22, 431 (1967).

    Flaschka, Phys. Rev. B 9, 1924 (1974).
    """

    coordinates: ClassVar = ("q_1", "q_2", "q_3", "p_1", "p_2", "p_3")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z[..., [1, 2, 0, 4, 5, 3]],)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def potential(self, q: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """Return V(q), which is 0 at rest."""
        return (q - q.roll(-1, -1)).exp().sum(-1) - 3

    def velocity(self, p: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Return -dV/dq."""
        springs = (q - q.roll(-1, -1)).exp()
        return springs.roll(1, -1) - springs

    def lax(self, z: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 3 3"]:
        """Return the Lax matrix, whose eigenvalues are conserved.

        Parameters
        ----------
        z : shape ``(..., 6)``
            States.

        Returns
        -------
        Tensor, shape ``(..., 3, 3)``
            Symmetric matrices.
        """
        q, p = z.chunk(2, dim=-1)
        side = ((q - q.roll(-1, -1)) / 2).exp() / 2
        first, second, third = side.unbind(-1)
        b = -p / 2
        rows = [[b[..., 0], first, third], [first, b[..., 1], second], [third, second, b[..., 2]]]
        return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)

    def sample(self, n: int, *, seed: int = 0, spread: float = 0.5) -> Float[Tensor, "n 6"]:
        """Draw normally distributed initial states, with the centre of mass at rest at the origin.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        spread : float, default 0.5
            Standard deviation of each coordinate before the motion of the centre of mass is removed.

        Returns
        -------
        Tensor, shape ``(n, 6)``
            States in float64.
        """
        z = torch.randn(n, 2, 3, generator=generator(n, seed), dtype=torch.float64)
        return spread * (z - z.mean(-1, keepdim=True)).flatten(1)
