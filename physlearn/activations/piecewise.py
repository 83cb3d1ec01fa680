"""Piecewise: several types of neurons as piecewise cubics on one grid, evaluated in one pass."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from physlearn.activations import piecewise_cubic
from physlearn.activations.activation import Activation


class Piecewise(Activation):
    """A mixture of piecewise cubic functions on one grid, given by the coefficients of its pieces.

    Tables and mixtures of tables are evaluated in this form. Each type has an equal share of the neurons, in contiguous
    blocks.

    Parameters
    ----------
    coefficients : shape ``(*stack, types, cells, 4)``
        Coefficients of the powers of the distance from the left end of the cell, in steps. The function is differentiable
        with respect to them. With a stack, inputs are ``(*stack, batch, neurons)``.
    grid
        Start and step of the cells.
    name
        Name, for tables and figures.
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
        """Evaluate each neuron's function.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            Values of the functions.
        """
        return piecewise_cubic.evaluate(x, self.coefficients, self.grid)[0]

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the first derivative of each neuron's function.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            First derivatives.

        Notes
        -----
        The derivative is a piecewise polynomial too, and its own derivative comes from the same pass.
        """
        return piecewise_cubic.evaluate(x, piecewise_cubic.derivative(self.coefficients, self.grid), self.grid)[0]

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the second derivative of each neuron's function.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            Second derivatives.
        """
        return piecewise_cubic.evaluate(x, piecewise_cubic.derivative(self.coefficients, self.grid), self.grid)[1]

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Evaluate each neuron's function and its first derivative in one pass.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        value, first : Tensor, of the shape of x
            Values and first derivatives.
        """
        return piecewise_cubic.evaluate(x, self.coefficients, self.grid)
