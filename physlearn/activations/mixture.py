"""Mixture: several types of neurons in one layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.activations.activation import Activation
from physlearn.activations.piecewise import Piecewise
from physlearn.activations.shares import shares
from physlearn.activations.table import Table
from systems import InputError


class Mixture(Activation):
    """Each type gets an equal share of a layer's neurons, in contiguous blocks, and only those neurons are evaluated by it.

    The blocks lie along the last axis, whatever the width of the layer: in a layer of 100 neurons, 3 types get 34, 33, 33.

    >>> from physlearn import activations
    >>> mix = Mixture([activations.get("identity"), activations.get("square")])
    >>> mix(torch.tensor([3.0, 3.0, 3.0, 3.0]))
    tensor([3., 3., 9., 9.])
    """

    def __init__(self, types: Sequence[Activation]) -> None:
        super().__init__()
        if not types:
            raise InputError("a mixture needs at least one type of neurons")
        self.types: nn.ModuleList = nn.ModuleList(types)
        self.name = "+".join(kind.name for kind in types)
        self.curved = all(kind.curved for kind in types)

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own function."""
        if (together := self.piecewise) is not None:
            return together.value(x)
        return self._each(lambda kind, block: (kind.value(block),), x)[0]

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own derivative."""
        if (together := self.piecewise) is not None:
            return together.first(x)
        return self._each(lambda kind, block: (kind.first(block),), x)[0]

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own second derivative."""
        if (together := self.piecewise) is not None:
            return together.second(x)
        return self._each(lambda kind, block: (kind.second(block),), x)[0]

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Both in one pass."""
        if (together := self.piecewise) is not None:
            return together.value_and_first(x)
        value, first = self._each(lambda kind, block: kind.value_and_first(block), x)
        return value, first

    @property
    def piecewise(self) -> Piecewise | None:
        """The same in one pass, where all types are tables on one grid; else None."""
        tables = [kind for kind in self.types if isinstance(kind, Table)]
        if len(tables) < len(self.types) or len({table.grid for table in tables}) > 1:
            return None
        coefficients = [table.coefficients for table in tables]
        if len({part.shape for part in coefficients}) > 1:
            return None
        return Piecewise(torch.stack(coefficients, dim=-3), tables[0].grid)

    def _each(self, evaluate: Callable[[Activation, Tensor], tuple[Tensor, ...]], x: Tensor) -> list[Tensor]:
        blocks = x.split(shares(x.shape[-1], len(self.types)), dim=-1)
        parts = [evaluate(kind, block) for kind, block in zip(self.types, blocks, strict=True)]  # type: ignore[arg-type]
        return [torch.cat(columns, dim=-1) for columns in zip(*parts, strict=True)]
