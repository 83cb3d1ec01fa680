"""The gravitational two-body problem in a plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import generator
from systems.system import Symmetry


def _exchange(z: Tensor) -> Tensor:
    """Exchange the bodies."""
    return z[..., [2, 3, 0, 1, 6, 7, 4, 5]]


@register("two-body")
@dataclass(frozen=True)
class TwoBody(SeparableSystem):
    r"""Two equal masses in a plane with Newtonian attraction; the masses and the gravitational constant are 1.

    .. math:: H = \tfrac12 (p_1^2 + p_2^2) - 1 / |r_1 - r_2|

    The state is ``z = (x_1, y_1, x_2, y_2, p_x1, p_y1, p_x2, p_y2)``. Momentum and angular momentum are conserved. The
    period is 2 pi sqrt(a^3 / 2), where a is the semi-major axis of the relative orbit.

    Notes
    -----
    Use it to test whether a model learns that total momentum is conserved; ``kepler`` is the same motion in relative
    coordinates.
    """

    coordinates: ClassVar = ("x_1", "y_1", "x_2", "y_2", "p_x1", "p_y1", "p_x2", "p_y2")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (_exchange, lambda z: -z)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def potential(self, q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """Return -1 / distance."""
        return -1 / self._apart(q).norm(dim=-1)

    def velocity(self, p: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
        """Return -dV/dq."""
        apart = self._apart(q)
        pull = apart / apart.norm(dim=-1, keepdim=True) ** 3
        return torch.cat([pull, -pull], dim=-1)

    def sample(
        self, n: int, *, seed: int = 0, side: tuple[float, float] = (0.5, 1.5), spread: float = 0.05
    ) -> Float[Tensor, "n 8"]:
        """Draw initial states of nearly circular orbits around the origin, all of them counterclockwise.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        side : (float, float), default (0.5, 1.5)
            Range from which both coordinates of the first body are drawn uniformly. The second body is opposite.
        spread : float, default 0.05
            Standard deviation of the relative deviation of the velocity from that of a circular orbit.

        Returns
        -------
        Tensor, shape ``(n, 8)``
            States in float64.

        Raises
        ------
        InputError
            Unless 0 < low <= high for the range of positions.

        References
        ----------
        The two-body task of Greydanus, Dzamba, Yosinski, Hamiltonian Neural Networks, NeurIPS 2019.
        """
        low, high = side
        if not 0 < low <= high:
            raise InputError(f"side must be a range with 0 < low <= high, not {side}")
        random = generator(n, seed)
        place = low + (high - low) * torch.rand(n, 2, generator=random, dtype=torch.float64)
        across = torch.stack([-place[:, 1], place[:, 0]], dim=-1)
        # at distance r from the centre, the force 1 / (2 r)^2 keeps a body on a circle at the speed sqrt(1 / 4 r)
        momentum = across / (2 * place.norm(dim=-1, keepdim=True) ** 1.5)
        momentum *= 1 + spread * torch.randn(n, 1, generator=random, dtype=torch.float64)
        return torch.cat([place, -place, momentum, -momentum], dim=-1)

    def _apart(self, q: Tensor) -> Tensor:
        """Return the vector from the first body to the second."""
        return q[..., 2:] - q[..., :2]
