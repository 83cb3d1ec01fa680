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
from systems.scalars import reals, whole


class Mixture(Activation):
    """Several activation functions in one layer, each of which acts on its share of the neurons.

    Each type has a contiguous block of neurons, and is evaluated for these only. A layer may have any width: with 3 types, the
    blocks of a layer of 100 neurons have 34, 33 and 33 neurons, unless ``shares`` are given.

    Parameters
    ----------
    types
        At least one Activation. If one of them is a mixture, its types divide the neurons along the same axis.
    dim
        Axis of the neurons: -1 for ``(batch, neurons)``, or 1 for the channels of a convolution, ``(batch, channels, height,
        width)``. Defaults to the last axis, as in the models of this package; inputs with more than three axes, which may be
        images, then raise an error.
    shares
        Positive shares of the types, such as ``(3, 1)``, of which only the ratios matter; equal by default. See
        `neurons_per_type` for the rounding, by which a small share of a narrow layer may have no neuron.

    Attributes
    ----------
    types, activations : ModuleList
        The types.

    Raises
    ------
    InputError
        If there are no types, ``dim`` is not a whole number, the shares are not one positive number for each type, or one of
        the types is a mixture along another axis or no function. In a call, if the input does not have the
        axis, or has more than three axes and ``dim`` was not given.

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

    def __init__(
        self,
        types: Sequence[Activation] | nn.ModuleList,
        dim: int | None = None,
        *,
        shares: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        kinds: list[Activation] = list(types)  # type: ignore[arg-type]
        if not kinds:
            raise InputError("a mixture needs at least one type of neuron")
        if wrong := [kind for kind in kinds if not isinstance(kind, Activation)]:
            raise InputError(
                f"the types of a mixture must be Activations, such as activations.get('sine'), not {wrong[0]!r:.80}"
            )
        self.dim = None if dim is None else whole("dim", dim)
        self.types: nn.ModuleList = nn.ModuleList(self._inside(kind) for kind in kinds)
        self.shares = None if shares is None else checked_shares(shares, len(kinds))
        self.name = "+".join(kind.name for kind in kinds)
        if self.shares is not None:
            self.name += f" ({':'.join(f'{share:g}' for share in self.shares)})"
        self.curved = all(kind.curved for kind in kinds)

    @property
    def activations(self) -> nn.ModuleList:
        """The types."""
        return self.types

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate each neuron's function.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations; with ``dim``, the neurons are on that axis.

        Returns
        -------
        Tensor, of the shape of x
            Values of the functions.
        """
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            return self._back(together.value(x))
        return self._back(self._each(lambda kind, block: (kind.value(block),), x)[0])

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the first derivative of each neuron's function.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations; with ``dim``, the neurons are on that axis.

        Returns
        -------
        Tensor, of the shape of x
            First derivatives.
        """
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            return self._back(together.first(x))
        return self._back(self._each(lambda kind, block: (kind.first(block),), x)[0])

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the second derivative of each neuron's function.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations; with ``dim``, the neurons are on that axis.

        Returns
        -------
        Tensor, of the shape of x
            Second derivatives.
        """
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            return self._back(together.second(x))
        return self._back(self._each(lambda kind, block: (kind.second(block),), x)[0])

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Evaluate each neuron's function and its first derivative in one pass.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations; with ``dim``, the neurons are on that axis.

        Returns
        -------
        value, first : Tensor, of the shape of x
            Values and first derivatives.
        """
        x = self._neurons_last(x)
        if (together := self.piecewise) is not None:
            value, first = together.value_and_first(x)
        else:
            value, first = self._each(lambda kind, block: kind.value_and_first(block), x)
        return self._back(value), self._back(first)

    def neurons(self, number: int) -> list[int]:
        """Return the numbers of neurons of the types in a layer.

        Parameters
        ----------
        number
            Number of neurons in the layer.

        Returns
        -------
        list of int
            Number of neurons per type.
        """
        return neurons_per_type(number, len(self.types) if self.shares is None else self.shares)

    def in_layer(self, neurons: int) -> Mixture:
        """Return a copy for a hidden layer of a network, whose neurons are on the last axis.

        Parameters
        ----------
        neurons
            Number of neurons in the layer.

        Returns
        -------
        Mixture
            The copy, in which each type has been prepared for its own neurons.

        Raises
        ------
        InputError
            If the neurons of the mixture are on another axis.
        """
        if self.dim not in (None, -1):
            raise InputError(f"a network needs a mixture along the last axis, not dim={self.dim}: leave dim out or use -1")
        parts = [kind.in_layer(share) for kind, share in zip(self.types, self.neurons(neurons), strict=True)]  # type: ignore[operator]
        return Mixture(parts, dim=-1, shares=self.shares)

    @property
    def piecewise(self) -> Piecewise | None:
        """The same function as a single pass if all types are tables on one grid with equal shares, else None."""
        if self.shares is not None:
            return None
        tables = [kind for kind in self.types if isinstance(kind, Table)]
        if len(tables) < len(self.types) or len({table.grid for table in tables}) > 1:
            return None
        coefficients = [table.coefficients for table in tables]
        if len({part.shape for part in coefficients}) > 1:
            return None
        return Piecewise(torch.stack(coefficients, dim=-3), tables[0].grid)

    def _inside(self, kind: Activation) -> Activation:
        """Return a type as part of this mixture, where neurons are always on the last axis."""
        if not kind.elementwise:
            raise InputError(f"the activations {kind.name!r} of several parts cannot be a type of neuron in one layer")
        if not isinstance(kind, Mixture) or kind.dim == -1:
            return kind
        if kind.dim not in (None, self.dim):
            raise InputError(
                f"a mixture with dim={kind.dim} cannot be part of one with dim={self.dim}; give both the same dim"
            )
        return Mixture(kind.types, dim=-1, shares=kind.shares)

    def _neurons_last(self, x: Tensor) -> Tensor:
        dim = self.dim
        if dim is None and x.ndim > 3:
            raise InputError(
                f"the axis of the neurons is ambiguous in an input of shape {tuple(x.shape)}; give Mixture dim=1 for the "
                "channels of a convolution, or dim=-1 for the last axis"
            )
        axis = -1 if dim is None else dim
        if not -x.ndim <= axis < x.ndim:
            raise InputError(f"a mixture with dim={axis} cannot take an input of shape {tuple(x.shape)}; it has no such axis")
        return x if axis == -1 else x.movedim(axis, -1)

    def _back(self, y: Tensor) -> Tensor:
        return y if self.dim in (None, -1) else y.movedim(-1, self.dim)

    def _each(self, evaluate: Callable[[Activation, Tensor], tuple[Tensor, ...]], x: Tensor) -> list[Tensor]:
        blocks = x.split(self.neurons(x.shape[-1]), dim=-1)
        parts = [evaluate(kind, block) for kind, block in zip(self.types, blocks, strict=True)]  # type: ignore[arg-type]
        return [torch.cat(columns, dim=-1) for columns in zip(*parts, strict=True)]


def checked_shares(shares: Sequence[float], types: int) -> tuple[float, ...]:
    """Return the shares of the types in a layer. Raises InputError unless they are one positive number for each type."""
    found = reals("shares", shares)
    if len(found) != types or min(found) <= 0:
        raise InputError(f"shares must be one positive number for each of the {types} types, not {shares!r:.80}")
    return found
