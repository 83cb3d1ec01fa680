"""A network for the vector field itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import Standard


@register
class VectorFieldNetwork(Model):
    """dz/dt as the output of a network: nothing is assumed of the flow, and nothing conserved.

    Inputs and outputs are standardised by the training data.
    """

    name = "nn"
    compiled = True
    default_method = "rk4"
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
        self.states = Inputs(dim, angles)
        self.rates = Standard(dim)
        self.network = self.network_class(self.states.width, dim, hidden, activation, last_bias=True, generator=generator)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale inputs and outputs to zero mean and unit variance."""
        self.states.fit(z)
        self.rates.fit(rate)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt."""
        return self.rates.inverse(self.network(self.states(z)))
