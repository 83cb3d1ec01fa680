"""Activation: an elementwise function with its derivatives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import grad

from systems.autograd_mode import gradient

Elementwise = Callable[[Tensor], Tensor]


class Activation(nn.Module):
    """An elementwise function with its first and second derivative, all of them differentiable, as training needs.

    A network takes any of them: a named one, a table, a mixture of types. ``name`` is how tables and pictures call it.
    """

    name: str
    curved: bool = True
    """Whether a Hamiltonian network can train with it. Its loss sees only the slope of the function: where that is flat
    between jumps, as in a linearly interpolated table, the first layer's biases get no gradient at all."""

    @abstractmethod
    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """The function."""

    @abstractmethod
    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Its derivative."""

    @abstractmethod
    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Its second derivative."""

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Both, in one pass where that is cheaper."""
        return self.value(x), self.first(x)

    def forward(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """The function."""
        return self.value(x)


def derivative(function: Elementwise) -> Elementwise:
    """Return the derivative of an elementwise function, by automatic differentiation."""
    plainly = grad(lambda x: function(x).sum())

    def slope(x: Tensor) -> Tensor:
        return plainly(x) if torch.compiler.is_compiling() else gradient(function, x)

    return slope


def neurons_per_type(neurons: int, types: int) -> list[int]:
    """How many neurons each type gets: equal shares, the first types taking what is left over.

    >>> neurons_per_type(100, 3)
    [34, 33, 33]
    """
    return [neurons // types + (i < neurons % types) for i in range(types)]
