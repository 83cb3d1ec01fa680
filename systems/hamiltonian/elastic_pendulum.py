"""The elastic pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry


@register("elastic-pendulum")
@dataclass(frozen=True)
class ElasticPendulum(SeparableSystem):
    r"""A unit mass on a spring that also swings.

    .. math:: H = \tfrac12 (p_x^2 + p_y^2) + \tfrac{k}{2} (r - \ell)^2 + g y

    The state is ``z = (x, y, p_x, p_y)``, measured from the pivot with y upwards, in units of g and of the length at
    equilibrium. The natural length of the spring is therefore l = 1 - g / k. Small motion has the angular frequencies sqrt(k)
    vertically and sqrt(g) horizontally. For the default k = 4 g, their ratio is 2, and the two motions exchange energy.

    Parameters
    ----------
    stiffness : float, default 4
        Stiffness k of the spring.
    gravity : float, default 1
        Gravitational acceleration g.

    Notes
    -----
    Use it for resonance and the exchange of energy between two modes, and as a separable system whose potential is not a
    polynomial.

    References
    ----------
    Vitt and Gorelik, Zh. Tekh. Fiz. 3, 294 (1933).
    """

    stiffness: float = 4.0
    gravity: float = 1.0
    coordinates: ClassVar = ("x", "y", "p_x", "p_y")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z * z.new_tensor([-1.0, 1.0, -1.0, 1.0]),)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    @property
    def length(self) -> float:
        """Natural length of the spring, 1 - g / k."""
        return 1 - self.gravity / self.stiffness

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return V(x, y)."""
        return self.stiffness / 2 * (q.norm(dim=-1) - self.length) ** 2 + self.gravity * q[..., 1]

    def velocity(self, p: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return -dV/dq."""
        pull = -self.stiffness * (1 - self.length / q.norm(dim=-1, keepdim=True)) * q
        x, y = pull.unbind(-1)
        return torch.stack([x, y - self.gravity], dim=-1)

    def sample(
        self, n: int, *, seed: int = 0, bounds: Bounds = ((-0.3, 0.3), (-1.2, -0.8), (-0.3, 0.3), (-0.3, 0.3))
    ) -> Float[Tensor, "n 4"]:
        """Draw initial states uniformly from a box around the equilibrium.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high)
            Range of each coordinate.

        Returns
        -------
        Tensor, shape ``(n, 4)``
            States in float64.
        """
        return box(n, bounds, seed)
