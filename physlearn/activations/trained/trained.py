"""Trained: the base class of activations whose coefficients train jointly with the weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from physlearn.activations.activation import Activation
from physlearn.activations.named import TRAINED
from systems import InputError
from systems.scalars import reals

PER_NEURON = "-per-neuron"
"""End of the names of those with coefficients for each neuron."""


class Trained(Activation):
    """Base class of activations whose coefficients are parameters of the network, and train jointly with its weights.

    An object of this class describes how the function starts. Each network, and each hidden layer of it, has coefficients of
    its own, which begin with those of ``start``, so that the same object can be passed to many networks.

    Parameters
    ----------
    start
        The K initial coefficients.
    per_neuron
        Whether each neuron has its own coefficients. By default, all neurons of a layer share them.

    Attributes
    ----------
    coefficients : Parameter, shape ``(1, K)``, or ``(neurons, K)`` with ``per_neuron``
        The coefficients. In a stack of R networks, they have a first axis of length R, and inputs are ``(R, batch, neurons)``.

    Raises
    ------
    InputError
        If a coefficient is not a finite number, or ``per_neuron`` is neither True nor False.
    """

    kind: ClassVar[str]
    coefficients: nn.Parameter

    def __init__(self, start: Sequence[float], per_neuron: bool = False) -> None:
        super().__init__()
        if not isinstance(per_neuron, bool):
            raise InputError(f"per_neuron must be True or False, not {per_neuron!r:.80}")
        self.start = reals("start", start)
        self.per_neuron = per_neuron
        self.name = f"{TRAINED}{self.kind}{PER_NEURON if per_neuron else ''}"
        self.coefficients = nn.Parameter(torch.tensor([self.start], dtype=torch.get_default_dtype()))

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor, as values that JSON can represent; they do not depend on the training."""

    def in_layer(self, neurons: int) -> Trained:
        """Return a new activation for a layer, with the initial coefficients.

        Parameters
        ----------
        neurons
            Number of neurons in the layer.

        Returns
        -------
        Trained
            The activation, which shares nothing with this one.
        """
        fresh = type(self)(**self.settings)
        if self.per_neuron:
            fresh.coefficients = nn.Parameter(fresh.coefficients.detach().repeat(neurons, 1))
        return fresh

    def each(self) -> tuple[Tensor, ...]:
        """Return each coefficient in a shape that broadcasts over the inputs.

        Returns
        -------
        tuple of Tensor
            K tensors of shape ``(1,)`` or ``(neurons,)``; in a stack, ``(R, 1, 1)`` or ``(R, 1, neurons)``.
        """
        stacked = self.coefficients.ndim > 2
        return (self.coefficients.unsqueeze(-3) if stacked else self.coefficients).unbind(-1)
