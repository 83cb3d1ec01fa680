"""A network for the Hamiltonian, which is differentiated for the flow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations
from physlearn.activations import Activation
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import over_batch, root_mean_square
from systems import InputError
from systems.hamiltonian_system import rotate


class Potential(nn.Module):
    r"""A scalar function of n coordinates, learned through its gradient.

    .. math:: F(x) = c\,K\bigl((\phi(x) - m) / s\bigr)

    K is a network without a last bias, for F matters only up to a constant; :math:`\phi(x)` is x itself, but for coordinates
    that are angles (`Inputs`), and m and s are its mean and standard deviation. Whatever m, s and c are, F is a function of
    the physical x, so Hamilton's equations for it hold exactly: nothing but x is ever rescaled. What K has to fit is
    :math:`s_i\,\partial_i F / c`, and c is chosen to make its mean square one.
    """

    gradient_scale: Tensor

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        network_class: type[Layers] = Network,
        angles: Angles = NO_ANGLES,
    ) -> None:
        super().__init__()
        if network_class.bends and not activations.get(activation).curved:
            raise InputError(
                "a Hamiltonian network is trained through the slope of its activation, which linear interpolation makes flat "
                "between jumps: the first layer's biases would never move; take kind='cubic'"
            )
        self.inputs = Inputs(inputs, angles)
        self.register_buffer("gradient_scale", torch.ones(()))
        self.network = network_class(self.inputs.width, 1, hidden, activation, last_bias=False, generator=generator)

    def standardize(self, x: Float[Tensor, "m n"], gradient: Float[Tensor, "m n"]) -> None:
        """Take the scales from inputs and the gradients that are to be learned (their signs do not matter)."""
        self.inputs.fit(x)
        self.gradient_scale.copy_(root_mean_square(self.inputs.lengths * gradient))

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """F(x)."""
        return over_batch(self.gradient_scale, 0) * self.network(self.inputs(x)).squeeze(-1)

    def gradient(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """dF/dx."""
        scale = self.gradient_scale.unsqueeze(-1) / self.inputs.scale
        return self.inputs.by_coordinates(x, over_batch(scale, 1) * self.network.gradient(self.inputs(x)))


@register
class HamiltonianNetwork(Model):
    """Hamilton's equations for one learned scalar H(q, p): energy is conserved, whatever was learned.

    H is not separable: roll it out by implicit-midpoint or gauss-legendre-4.
    Source: Greydanus, Dzamba, Yosinski, Hamiltonian Neural Networks, NeurIPS 2019.
    """

    name = "hnn"
    compiled = True
    structure = "canonical"
    default_method = "gauss-legendre-4"
    network_class: type[Layers] = Network

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
    ) -> None:
        super().__init__()
        check_even(self.name, dim)
        self.energy = Potential(dim, hidden, activation, generator, self.network_class, angles)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale the states, and H so that its gradient has the size of the data's."""
        dq, dp = rate.chunk(2, dim=-1)
        self.energy.standardize(z, torch.cat([dp, dq], dim=-1))

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """The learned energy, up to a constant."""
        return self.energy(z)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dH/dp, -dH/dq)."""
        return rotate(self.energy.gradient(z))


def check_even(model: str, dim: int) -> None:
    """Raise InputError unless the coordinates can be as many positions as momenta."""
    if dim % 2:
        raise InputError(f"{model} needs as many momenta as positions, not {dim} coordinates; take the model nn")
