"""Piecewise: several types of neurons as piecewise cubics on one grid, evaluated in one pass."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from physlearn.activations import piecewise_cubic
from physlearn.activations.activation import Activation


class Piecewise(Activation):
    """What tables and mixtures of tables compute, given by the coefficients of their pieces.

    coefficients: ``(*stack, types, cells, 4)``, of the powers of the distance from the cell's left end in steps, by which it
    is differentiable. The types share out the neurons in contiguous blocks; activities are ``(*stack, batch, neurons)``.
    """

    coefficients: Tensor

    def __init__(
        self, coefficients: Float[Tensor, "*stack types cells 4"], grid: piecewise_cubic.Grid, name: str = "piecewise"
    ) -> None:
        super().__init__()
        self.name = name
        self.grid = grid
        self.register_buffer("coefficients", coefficients)

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own function."""
        return piecewise_cubic.evaluate(x, self.coefficients, self.grid)[0]

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Its derivative, a piecewise polynomial too, whose own derivative is found in the same pass."""
        return piecewise_cubic.evaluate(x, piecewise_cubic.derivative(self.coefficients, self.grid), self.grid)[0]

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Its second derivative."""
        return piecewise_cubic.evaluate(x, piecewise_cubic.derivative(self.coefficients, self.grid), self.grid)[1]

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Both in one pass."""
        return piecewise_cubic.evaluate(x, self.coefficients, self.grid)
