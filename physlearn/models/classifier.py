"""A network that tells classes apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.layers import Layers
from physlearn.models.model import Learner
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import Standard
from systems import InputError


@register
class Classifier(Learner):
    """The logits of C classes, whose softmax are their probabilities, as the output of a network.

    Inputs are standardised by the training data. It is no flow, and nothing can be forecast with it.

    >>> network = Classifier(40, 10, generator=torch.Generator().manual_seed(0))
    >>> network(torch.zeros(5, 40)).shape
    torch.Size([5, 10])
    """

    name = "classifier"
    compiled = True
    network_class: type[Layers] = Network

    def __init__(
        self,
        inputs: int,
        classes: int,
        hidden: Sequence[int] = (100,),
        activation: str | Activation = "sine",
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if classes < 2:
            raise InputError(f"a classifier tells at least 2 classes apart, not {classes}")
        self.inputs = Standard(inputs)
        self.network = self.network_class(inputs, classes, hidden, activation, last_bias=True, generator=generator)

    def standardize(self, z: Float[Tensor, "n D"], target: Int[Tensor, " n"]) -> None:
        """Scale the inputs to zero mean and unit variance."""
        self.inputs.fit(z)

    def forward(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch C"]:
        """The logits."""
        return self.network(self.inputs(z))
