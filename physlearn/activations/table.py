"""Table: an activation function captured on a grid, and interpolated."""

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
    """The spline through values on an equally spaced grid, going on linearly outside of it (a quadratic one half a step out).

    values: ``(points,)``, or ``(*stack, points)``, a table for each member of a stack of networks, whose activities are then
    ``(*stack, batch, neurons)``; the spline is differentiable by them. low, high: the ends of the grid. kind: ``"linear"``,
    ``"quadratic"`` or ``"cubic"`` (once, twice and three times differentiable in pieces).

    The paper captures its activations so, on [-10, 10] at 100 points (Methods). Linear pieces have no second derivative, so
    a Hamiltonian network refuses them.

    Raises InputError for an unknown kind, too few points, values that are not floating-point, or an empty interval.

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
            raise InputError(f"a table's interval must be finite, its low end first, not {tuple(interval)}")
        if values.ndim == 0 or not values.is_floating_point():
            raise InputError(f"a table's values are floats (*stack, points), not {values.dtype} {tuple(values.shape)}")
        points = values.shape[-1]
        matrix, start = spline_coefficients(points, kind)
        step = (high - low) / (points - 1)
        self.name = name
        self.interval = (float(low), float(high))
        self.kind: Kind = kind
        self.curved = kind != "linear"
        self.grid = piecewise_cubic.Grid(low + start * step, step)
        self._matrix = matrix
        self._cached: tuple[object, Tensor, Tensor] | None = None  # key, values (kept, so that the key stays theirs), result
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
        """The table of a function, on a grid of that many points."""
        low, high = interval
        x = torch.linspace(low, high, points, dtype=torch.float64)
        return cls(function(x).to(dtype or torch.get_default_dtype()), interval, kind, name)

    @property
    def points(self) -> int:
        """The number of points of the grid."""
        return self.values.shape[-1]

    @property
    def coefficients(self) -> Float[Tensor, "*stack cells 4"]:
        """Of the powers of the distance from each cell's left end in steps."""
        values = self.values
        if torch.is_inference_mode_enabled() or values.is_inference():
            return self._interpolated(values)  # such tensors have no version, and are not for training later
        if values.requires_grad and torch.is_grad_enabled():
            return self._interpolated(values)  # a graph is gone after one backward pass
        key = (id(values), values._version)
        if self._cached is None or self._cached[0] != key:
            self._cached = (key, values, self._interpolated(values))
        return self._cached[2]

    def _interpolated(self, values: Float[Tensor, "*stack points"]) -> Float[Tensor, "*stack cells 4"]:
        matrix = self._matrix.to(values)
        return (values @ matrix.flatten(0, 1).T).unflatten(-1, matrix.shape[:2])

    @property
    def piecewise(self) -> Piecewise:
        """What it computes, as a mixture of one type."""
        return Piecewise(self.coefficients.unsqueeze(-3), self.grid)

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """The spline."""
        return self.piecewise.value(x)

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Its derivative."""
        return self.piecewise.first(x)

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Its second derivative."""
        return self.piecewise.second(x)

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Both in one pass."""
        return self.piecewise.value_and_first(x)

    def __getstate__(self) -> dict[str, Any]:
        """All but the interpolation, whose key means nothing in another process."""
        return {**super().__getstate__(), "_cached": None}

    def __deepcopy__(self, memo: object) -> Table:
        return Table(self.values.detach().clone(), self.interval, self.kind, self.name)

    def extra_repr(self) -> str:
        """For printing a network."""
        low, high = self.interval
        return f"{self.name!r}, {self.kind} on [{low:g}, {high:g}] at {self.points} points"
