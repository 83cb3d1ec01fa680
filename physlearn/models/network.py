"""The fully connected network inside every model that is trained by gradients."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations
from physlearn.activations import Activation
from physlearn.models.affine import Affine, affine
from physlearn.models.scaling import over_batch
from systems import InputError


class Network(nn.Module):
    """Layers of weights, biases and one elementwise activation between them.

    inputs, outputs: their numbers; hidden: the widths of the hidden layers; activation: a name, or any Activation, whose
    tables become part of the network; last_bias: whether the output has one. Weights and biases are uniform within
    1 / sqrt(number of inputs of the layer), drawn from the generator.

    Raises InputError for widths that are not positive, UnknownNameError for an unknown activation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        activation: str | Activation,
        *,
        last_bias: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if not hidden or any(width < 1 for width in hidden):
            raise InputError(f"hidden must be a list of positive widths, such as (100,), not {tuple(hidden)}")
        self.activation = copy.deepcopy(activations.get(activation))
        sizes = (inputs, *hidden, outputs)
        self.layers = nn.ModuleList(
            Affine(a, b, bias=last_bias or i < len(hidden), generator=generator) for i, (a, b) in enumerate(pairwise(sizes))
        )

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of each layer."""
        return [(layer.weight.shape[-2], layer.weight.shape[-1]) for layer in self._affine]

    @property
    def _affine(self) -> list[Affine]:
        return [cast(Affine, layer) for layer in self.layers]

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The outputs, before any scaling."""
        *hidden, last = self._affine
        for layer in hidden:
            x = self.activation.value(layer(x))
        return last(x)

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """The gradient of the single output by the inputs, in closed form: training by it takes one backward pass, not two."""
        *hidden, last = self._affine
        slopes = []
        for i, layer in enumerate(hidden):
            x = layer(x)
            if i < len(hidden) - 1:
                x, slope = self.activation.value_and_first(x)
            else:
                slope = self.activation.first(x)
            slopes.append(slope)
        g = over_batch(last.weight[..., 0, :], 1)
        for layer, slope in zip(reversed(hidden), reversed(slopes), strict=True):
            g = affine(g * slope, layer.weight.mT)
        return g
