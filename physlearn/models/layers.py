"""The base class of the networks inside models: affine layers and one activation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations
from physlearn.activations import Activation
from physlearn.activations.per_layer import PerLayer, in_layers
from physlearn.models.affine import Affine
from systems import InputError


class Layers(nn.Module, ABC):
    """Affine layers, each of which maps ``features`` features per input; a subclass computes the features.

    Initial weights and biases are uniform within 1 / sqrt(number of inputs of the layer). The class attribute ``bends`` says
    whether the gradient of the network varies only through the activation, which must then be curved to train a Hamiltonian,
    and ``from_inputs`` whether the activation is applied to the inputs, too.

    Parameters
    ----------
    inputs, outputs
        Numbers of inputs and outputs.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation, whose tables and coefficients are copied. All layers share tables; each has
        coefficients of its own.
    last_bias
        Whether the output layer has a bias.
    generator
        Random generator of the initial weights.

    Raises
    ------
    InputError
        If a width is not positive, the activation is a mixture along another axis than the last, or there are activations by
        layer, but not as many as layers, or by role.
    UnknownNameError
        If the activation is unknown.
    """

    features: ClassVar[int] = 1
    bends: ClassVar[bool] = True
    from_inputs: ClassVar[bool] = False

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
        widths = (inputs, *hidden) if self.from_inputs else hidden
        self.activation = in_layers(activations.get(activation), widths)
        sizes = (inputs, *hidden, outputs)
        self.layers = nn.ModuleList(
            Affine(self.features * a, b, bias=last_bias or i < len(hidden), generator=generator)
            for i, (a, b) in enumerate(pairwise(sizes))
        )

    @property
    def _affine(self) -> list[Affine]:
        return [cast(Affine, layer) for layer in self.layers]

    @property
    def layer_activations(self) -> list[Activation]:
        """The activation before each layer that has one: all but the first, or all if the inputs are activated."""
        if isinstance(self.activation, PerLayer):
            return list(self.activation.layers)  # type: ignore[arg-type]
        return [self.activation] * (len(self.layers) - (not self.from_inputs))

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """The numbers (outputs, features of all inputs) of each layer."""
        return [(layer.weight.shape[-2], layer.weight.shape[-1]) for layer in self._affine]

    @abstractmethod
    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs, before any scaling."""

    @abstractmethod
    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """Return the gradient of the single output by the inputs, in closed form so that training takes one backward pass."""
