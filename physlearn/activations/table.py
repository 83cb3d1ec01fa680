"""Table: an activation function captured on a grid and interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import piecewise_cubic
from physlearn.activations.activation import Activation, Elementwise
from physlearn.activations.piecewise import Piecewise
from physlearn.activations.spline import Kind, spline_coefficients
from systems import InputError
from systems.floats import takes_arrays

INTERVAL = (-10.0, 10.0)
POINTS = 100


class Table(Activation):
    """The spline through values on an equally spaced grid.

    Beyond the grid the spline continues linearly (a quadratic spline from half a step outside of it).

    Parameters
    ----------
    values : shape ``(points,)`` or ``(*stack, points)``
        Values on the grid, by default of 100 points as in the paper (Methods). With a stack, there is one table per member of
        a stack of networks, and inputs are ``(*stack, batch, neurons)``. The spline is differentiable with respect to them.
    interval
        Ends of the grid, the lower one first; (-10, 10) by default, as in the paper.
    kind
        ``"linear"``, ``"quadratic"`` or ``"cubic"`` (the default): the degree of the pieces. Linear pieces have no second
        derivative, so a Hamiltonian network rejects them.
    name
        Name, for tables and figures.

    Raises
    ------
    InputError
        If the kind is unknown, there are too few points, the values are not floating-point numbers, or the interval is empty.

    Examples
    --------
    >>> table = Table.capture(torch.sin)
    >>> x = torch.linspace(-9, 9, 1000)
    >>> bool((table(x) - x.sin()).abs().max() < 1e-4)
    True
    """

    values: Tensor

    @takes_arrays("values")
    def __init__(
        self,
        values: Float[Tensor, "*stack points"],
        interval: Sequence[float] = INTERVAL,
        kind: Kind = "cubic",
        name: str = "table",
    ) -> None:
        super().__init__()
        low, high = interval
        if not (low < high and isfinite(high - low)):
            raise InputError(f"a table's interval must be finite, with its lower end first, not {tuple(interval)}")
        if values.ndim == 0 or not values.is_floating_point():
            raise InputError(f"a table's values must be floats (*stack, points), not {values.dtype} {tuple(values.shape)}")
        points = values.shape[-1]
        matrix, start = spline_coefficients(points, kind)
        step = (high - low) / (points - 1)
        self.name = name
        self.interval = (float(low), float(high))
        self.kind: Kind = kind
        self.curved = kind != "linear"
        self.grid = piecewise_cubic.Grid(low + start * step, step)
        self._matrix = matrix
        self._cached: tuple[object, Tensor, Tensor] | None = None  # key, values (kept so that their id is not reused), result
        self.register_buffer("values", values)

    @classmethod
    def capture(
        cls,
        function: Elementwise,
        interval: Sequence[float] = INTERVAL,
        points: int = POINTS,
        kind: Kind = "cubic",
        name: str = "table",
        dtype: torch.dtype | None = None,
    ) -> Table:
        """Return the table of a function.

        Parameters
        ----------
        function
            Elementwise function, called with float64.
        interval
            Ends of the grid, the lower one first; (-10, 10) by default.
        points
            Number of points of the grid, 100 by default.
        kind
            ``"linear"``, ``"quadratic"`` or ``"cubic"`` (the default).
        name
            Name, for tables and figures.
        dtype
            Dtype of the values; torch's default dtype by default.

        Returns
        -------
        Table
            The spline through the values of the function on the grid.
        """
        low, high = interval
        x = torch.linspace(low, high, points, dtype=torch.float64)
        return cls(function(x).to(dtype or torch.get_default_dtype()), interval, kind, name)

    @property
    def points(self) -> int:
        """The number of points of the grid."""
        return self.values.shape[-1]

    @property
    def coefficients(self) -> Float[Tensor, "*stack cells 4"]:
        """Coefficients of the powers of the distance from the left end of each cell, in steps."""
        values = self.values
        if torch.is_inference_mode_enabled() or values.is_inference():
            return self._interpolated(values)  # inference tensors have no version, and cannot be used in training later
        if values.requires_grad and torch.is_grad_enabled():
            return self._interpolated(values)  # not cached, because one backward pass frees the graph
        key = (id(values), values._version)
        if self._cached is None or self._cached[0] != key:
            self._cached = (key, values, self._interpolated(values))
        return self._cached[2]

    def _interpolated(self, values: Float[Tensor, "*stack points"]) -> Float[Tensor, "*stack cells 4"]:
        matrix = self._matrix.to(values)
        return (values @ matrix.flatten(0, 1).T).unflatten(-1, matrix.shape[:2])

    @property
    def piecewise(self) -> Piecewise:
        """The same function as a mixture of one type."""
        return Piecewise(self.coefficients.unsqueeze(-3), self.grid)

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the spline.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            Values of the spline.
        """
        return self.piecewise.value(x)

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the first derivative.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            First derivatives.
        """
        return self.piecewise.first(x)

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the second derivative.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            Second derivatives.
        """
        return self.piecewise.second(x)

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Evaluate the spline and its first derivative in one pass.

        Parameters
        ----------
        x : shape ``(*stack, ..., neurons)``
            Pre-activations.

        Returns
        -------
        value, first : Tensor, of the shape of x
            Values and first derivatives.
        """
        return self.piecewise.value_and_first(x)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the cached interpolation, whose key is invalid in another process."""
        return {**super().__getstate__(), "_cached": None}

    def __deepcopy__(self, memo: object) -> Table:
        return Table(self.values.detach().clone(), self.interval, self.kind, self.name)

    def extra_repr(self) -> str:
        """Return the text that torch prints for the table in a network.

        Returns
        -------
        str
            Name, kind, interval and number of points.
        """
        low, high = self.interval
        return f"{self.name!r}, {self.kind} on [{low:g}, {high:g}] at {self.points} points"
