"""Activation: an elementwise function with its derivatives."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import grad

from systems.autograd_mode import gradient

Elementwise = Callable[[Tensor], Tensor]


class Activation(nn.Module):
    """An elementwise function with its first and second derivatives, all of which are differentiable, as training requires.

    A network accepts any activation: a named function, a table, or a mixture of types. ``name`` labels it in tables and
    figures.

    Parameters
    ----------
    *args, **kwargs
        Arguments of a subclass; this class takes none.
    """

    name: str
    curved: bool = True
    """Whether a Hamiltonian network can train with this activation. The loss of such a network depends only on the slope of
    the function. Where the slope is piecewise constant, as in a linearly interpolated table, the biases of the first layer
    get no gradient."""
    elementwise: bool = True
    """Whether this is a function; if not, it consists of the activations of the parts of a model."""

    @abstractmethod
    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the function.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Values of the function.
        """

    @abstractmethod
    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the first derivative.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            First derivatives.
        """

    @abstractmethod
    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the second derivative.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Second derivatives.
        """

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Evaluate the function and its first derivative, in one pass where that is cheaper.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        value, first : Tensor, shape ``(..., neurons)``
            Values and first derivatives.
        """
        return self.value(x), self.first(x)

    def in_layer(self, neurons: int) -> Activation:
        """Return a copy for a hidden layer of a network.

        Parameters
        ----------
        neurons
            Number of neurons in the layer, which matters for activations with numbers of their own for each neuron.

        Returns
        -------
        Activation
            The copy, which shares nothing with this one.
        """
        return copy.deepcopy(self)

    def forward(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the function; the same as `value`.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Values of the function.
        """
        return self.value(x)


def derivative(function: Elementwise) -> Elementwise:
    """Return the derivative of an elementwise function, computed by automatic differentiation.

    Parameters
    ----------
    function
        Elementwise function of a tensor.

    Returns
    -------
    callable
        Elementwise function that evaluates the derivative.
    """
    plainly = grad(lambda x: function(x).sum())

    def slope(x: Tensor) -> Tensor:
        return plainly(x) if torch.compiler.is_compiling() else gradient(function, x)

    return slope


def neurons_per_type(neurons: int, types: int | Sequence[float]) -> list[int]:
    """Return the number of neurons of each type: equal shares, with the remainder going to the first types.

    Parameters
    ----------
    neurons
        Number of neurons in the layer.
    types
        Number of types, or the positive share of each type. Numbers that are not whole are rounded down, and the neurons that
        remain go to the types with the largest fractions, the first of them first.

    Returns
    -------
    list of int
        Number of neurons per type.

    Examples
    --------
    >>> neurons_per_type(100, 3)
    [34, 33, 33]
    >>> neurons_per_type(10, (3, 1))
    [8, 2]
    """
    if isinstance(types, int):
        return [neurons // types + (i < neurons % types) for i in range(types)]
    whole = sum(map(Fraction, types))  # exact, so that the result does not depend on rounding
    wanted = [neurons * Fraction(share) / whole for share in types]
    found = [floor(number) for number in wanted]
    by_fraction = sorted(range(len(found)), key=lambda i: found[i] - wanted[i])
    for i in by_fraction[: neurons - sum(found)]:
        found[i] += 1
    return found
