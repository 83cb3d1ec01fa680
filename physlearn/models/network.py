"""The fully connected network inside every model that is trained by gradients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations
from systems import InputError


class Network(nn.Module):
    """Layers of weights, biases and one elementwise activation between them.

    inputs, outputs: their numbers; hidden: the widths of the hidden layers; last_bias: whether the output has one. Weights
    and biases are uniform within 1 / sqrt(number of inputs of the layer), drawn from the generator.

    Raises InputError for widths that are not positive, UnknownNameError for an unknown activation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        activation: str,
        *,
        last_bias: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if not hidden or any(width < 1 for width in hidden):
            raise InputError(f"hidden must be a list of positive widths, such as (100,), not {tuple(hidden)}")
        self.activation = activations.get(activation)
        sizes = (inputs, *hidden, outputs)
        self.layers = nn.ModuleList()
        for i, (a, b) in enumerate(pairwise(sizes)):
            layer = nn.utils.skip_init(nn.Linear, a, b, bias=last_bias or i < len(hidden))
            with torch.no_grad():
                for parameter in layer.parameters():
                    parameter.uniform_(-1 / sqrt(a), 1 / sqrt(a), generator=generator)
            self.layers.append(layer)

    @property
    def _linear(self) -> list[nn.Linear]:
        return [cast(nn.Linear, layer) for layer in self.layers]

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The outputs, before any scaling."""
        *hidden, last = self._linear
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """The gradient of the single output by the inputs, in closed form: training by it takes one backward pass, not two."""
        *hidden, last = self._linear
        slopes = []
        for i, layer in enumerate(hidden):
            x = layer(x)
            slopes.append(self.activation.first(x))
            if i < len(hidden) - 1:
                x = self.activation(x)
        g = last.weight[0]
        for layer, slope in zip(reversed(hidden), reversed(slopes), strict=True):
            g = (g * slope) @ layer.weight
        return g
