"""Mixture: several types of neurons in one layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.activations.activation import Activation, neurons_per_type
from physlearn.activations.piecewise import Piecewise
from physlearn.activations.table import Table
from systems import InputError
from systems.scalars import whole


class Mixture(Activation):
    """Each type gets an equal share of a layer's neurons, in contiguous blocks, and only those neurons are evaluated by it.

    The blocks lie along one axis, whatever the width of the layer: in a layer of 100 neurons, 3 types get 34, 33, 33.

    Parameters
    ----------
    types
        At least one Activation; a mixture among them deals its types along the same axis.
    dim
        The axis of the neurons: -1 for ``(batch, neurons)``, 1 for the channels of a convolution, ``(batch, channels, height,
        width)``. By default the last one, as in the models here; activities of more than three axes, which may well be those
        of images, are then refused.

    Attributes
    ----------
    types, activations : ModuleList
        The types.

    Raises
    ------
    InputError
        If there are no types, dim is no whole number, or a mixture among the types has another axis. When it is called: if
        the activities do not have the axis, or have more than three and dim was not given.

    Examples
    --------
    >>> from physlearn import activations
    >>> mix = Mixture([activations.get("identity"), activations.get("square")])
    >>> mix(torch.tensor([3.0, 3.0, 3.0, 3.0]))
    tensor([3., 3., 9., 9.])
    >>> channels = Mixture(mix.types, dim=1)
    >>> channels(torch.full((1, 4, 2, 2), 3.0))[0, :, 0, 0]
    tensor([3., 3., 9., 9.])
    """

    def __init__(self, types: Sequence[Activation] | nn.ModuleList, dim: int | None = None) -> None:
        super().__init__()
        kinds: list[Activation] = list(types)  # type: ignore[arg-type]
        if not kinds:
            raise InputError("a mixture needs at least one type of neurons")
        self.dim = None if dim is None else whole("dim", dim)
        self.types: nn.ModuleList = nn.ModuleList(self._inside(kind) for kind in kinds)
        self.name = "+".join(kind.name for kind in kinds)
        self.curved = all(kind.curved for kind in kinds)

    @property
    def activations(self) -> nn.ModuleList:
        """The types."""
        return self.types

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own function."""
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            return self._back(together.value(x))
        return self._back(self._each(lambda kind, block: (kind.value(block),), x)[0])

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own derivative."""
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            return self._back(together.first(x))
        return self._back(self._each(lambda kind, block: (kind.first(block),), x)[0])

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Each neuron's own second derivative."""
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            return self._back(together.second(x))
        return self._back(self._each(lambda kind, block: (kind.second(block),), x)[0])

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Both in one pass."""
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            value, first = together.value_and_first(x)
        else:
            value, first = self._each(lambda kind, block: kind.value_and_first(block), x)
        return self._back(value), self._back(first)

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

    def _inside(self, kind: Activation) -> Activation:
        """A type as it is among the others, where neurons always come last."""
        if not isinstance(kind, Mixture) or kind.dim == -1:
            return kind
        if kind.dim not in (None, self.dim):
            raise InputError(f"a mixture of dim={kind.dim} cannot be a type of one of dim={self.dim}: give both the same")
        return Mixture(kind.types, dim=-1)

    def _neurons_last(self, x: Tensor) -> Tensor:
        dim = self.dim
        if dim is None and x.ndim > 3:
            raise InputError(
                f"a mixture deals its types along one axis, and activities of shape {tuple(x.shape)} may have them on another "
                "than the last: give Mixture dim=1 for the channels of a convolution, or dim=-1"
            )
        axis = -1 if dim is None else dim
        if not -x.ndim <= axis < x.ndim:
            raise InputError(f"a mixture of dim={axis} takes no activities of shape {tuple(x.shape)}")
        return x if axis == -1 else x.movedim(axis, -1)

    def _back(self, y: Tensor) -> Tensor:
        return y if self.dim in (None, -1) else y.movedim(-1, self.dim)

    def _each(self, evaluate: Callable[[Activation, Tensor], tuple[Tensor, ...]], x: Tensor) -> list[Tensor]:
        blocks = x.split(neurons_per_type(x.shape[-1], len(self.types)), dim=-1)
        parts = [evaluate(kind, block) for kind, block in zip(self.types, blocks, strict=True)]  # type: ignore[arg-type]
        return [torch.cat(columns, dim=-1) for columns in zip(*parts, strict=True)]
