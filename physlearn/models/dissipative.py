"""A Hamiltonian network, and what no Hamiltonian can fit beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import over_batch, root_mean_square
from physlearn.models.separable import MechanicalHamiltonianNetwork
from physlearn.models.units import Structure


@register
class DissipativeHamiltonianNetwork(Model):
    r"""Hamilton's equations for a learned H(q, p), and a learned force that drives or brakes.

    .. math:: \dot q = \partial H / \partial p, \quad \dot p = -\partial H / \partial q + F(q, p), \quad F(q, -p) = -F(q, p)

    F changes sign with the momenta, as friction does and the push of an escapement: so it takes over nothing of the forces
    that a potential explains. Where a plain Hamiltonian network hides it in its residual, here it can be seen.
    ``conservative`` is the Hamiltonian network, a flow of its own; ``drive(z)`` is F.

    Source: for the idea of a learned dissipative part, Sosanya and Greydanus, Dissipative Hamiltonian Neural Networks,
    arXiv:2201.10085 (there the gradient of a second potential).
    """

    name = "dissipative-hnn"
    structure: ClassVar[Structure] = "odd"
    default_method = "gauss-legendre-4"
    hamiltonian_network: type[HamiltonianNetwork | MechanicalHamiltonianNetwork] = HamiltonianNetwork
    drive_scale: Tensor

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
    ) -> None:
        super().__init__()
        self.conservative = self.hamiltonian_network(dim, hidden, activation, generator, angles)
        self.states = Inputs(dim, angles)
        self.network = Network(self.states.width, dim // 2, hidden, activation, last_bias=False, generator=generator)
        self.register_buffer("drive_scale", torch.ones(()))

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale the states, H, and F by the forces; momenta keep their zero, about which F is odd."""
        self.conservative.standardize(z, rate)
        self.states.fit(z)
        self.states.center[z.shape[1] // 2 : z.shape[1]] = 0
        self.drive_scale.copy_(root_mean_square(rate.chunk(2, dim=-1)[1]))

    def drive(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch n"]:
        """F(q, p)."""
        q, p = z.chunk(2, dim=-1)
        odd = self.network(self.states(z)) - self.network(self.states(torch.cat([q, -p], dim=-1)))
        return over_batch(self.drive_scale.unsqueeze(-1), 1) * odd / 2

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dH/dp, -dH/dq + F)."""
        dq, dp = self.conservative.vector_field(t, z).chunk(2, dim=-1)
        return torch.cat([dq, dp + self.drive(z)], dim=-1)


@register
class DissipativeMechanicalNetwork(DissipativeHamiltonianNetwork):
    """The same with H = p^2/2 + V(q): what is even in the momenta is then V's alone, and what is odd is F's.

    A recorded oscillation of one amplitude fills but a thin ring of states, on which a general H(q, p) is hardly determined.
    """

    name = "dissipative-hnn-mechanical"
    structure: ClassVar[Structure] = "mechanical"
    hamiltonian_network = MechanicalHamiltonianNetwork
