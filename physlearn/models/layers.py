"""What the networks inside models have in common: affine layers, widths between them, and one activation."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations
from physlearn.activations import Activation, Mixture
from physlearn.models.affine import Affine
from systems import InputError


class Layers(nn.Module, ABC):
    """Affine maps of so many ``features`` of each input; a subclass says what lies between them.

    inputs, outputs: their numbers; hidden: the widths of the hidden layers; activation: a name, or any Activation, whose
    tables become part of the network; last_bias: whether the output has one. Weights and biases are uniform within
    1 / sqrt(number of inputs of the layer), drawn from the generator. bends: whether it is the activation alone that makes the
    gradient bend, without which a Hamiltonian would not train.

    Raises InputError for widths that are not positive or a mixture along another axis than the last, UnknownNameError for an
    unknown activation.
    """

    features: ClassVar[int] = 1
    bends: ClassVar[bool] = True

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
        if isinstance(self.activation, Mixture):
            if self.activation.dim not in (None, -1):
                raise InputError(
                    f"a mixture of dim={self.activation.dim} does not fit a network, whose neurons are the last axis"
                )
            self.activation.dim = -1
        sizes = (inputs, *hidden, outputs)
        self.layers = nn.ModuleList(
            Affine(self.features * a, b, bias=last_bias or i < len(hidden), generator=generator)
            for i, (a, b) in enumerate(pairwise(sizes))
        )

    @property
    def _affine(self) -> list[Affine]:
        return [cast(Affine, layer) for layer in self.layers]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(outputs, features of all inputs) of each layer."""
        return [(layer.weight.shape[-2], layer.weight.shape[-1]) for layer in self._affine]

    @abstractmethod
    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The outputs, before any scaling."""

    @abstractmethod
    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """The gradient of the single output by the inputs, in closed form: training by it takes one backward pass, not two."""
