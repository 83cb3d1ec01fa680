"""Combination: a trained linear combination of named functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from physlearn.activations.named import find
from physlearn.activations.trained.terms import Sum, Term
from systems import InputError

FUNCTIONS = ("sine", "tanh", "gelu", "silu", "softplus", "square", "identity", "gaussian")
MOST = 100  # functions in a combination


class Combination(Sum):
    r"""A linear combination of named functions, whose coefficients train jointly with the weights of the network.

    .. math:: \sigma(x) = \sum_k c_k f_k(x)

    Parameters
    ----------
    functions
        Names of the K functions; by default sine, tanh, gelu, silu, softplus, square, identity and gaussian.
    start
        Initial coefficients. By default, that of the first function is one and the others are zero, so that training starts
        with the network of the first function.
    per_neuron
        Whether each neuron has its own coefficients. By default, all neurons of a layer share them.

    Attributes
    ----------
    coefficients : Parameter, shape ``(1, K)``, or ``(neurons, K)`` with ``per_neuron``
        The coefficients. In a stack of R networks, they have a first axis of length R.

    Raises
    ------
    InputError
        If the functions are not 1 to 100 names, or the numbers of functions and coefficients differ.
    UnknownNameError
        If there is no such function.

    References
    ----------
    F. Manessi and A. Rozza, Learning combinations of activation functions, ICPR 2018.

    Examples
    --------
    >>> import torch
    >>> activation = Combination(["square", "identity"], start=[1.0, -2.0])
    >>> activation(torch.tensor([1.0, 3.0]))
    tensor([-1.,  3.], grad_fn=<AddBackward0>)
    """

    kind = "combination"

    def __init__(
        self, functions: Sequence[str] = FUNCTIONS, start: Sequence[float] | None = None, per_neuron: bool = False
    ) -> None:
        if isinstance(functions, str) or not isinstance(functions, Sequence) or not 1 <= len(functions) <= MOST:
            raise InputError(
                f"functions must be a list of 1 to {MOST} names, such as ['sine', 'square'], not {functions!r:.80}"
            )
        self.functions = tuple(functions)
        first_alone = [1.0, *[0.0] * (len(functions) - 1)]
        super().__init__([Term(find(name)) for name in functions], first_alone if start is None else start, per_neuron)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"functions": list(self.functions), "start": list(self.start), "per_neuron": self.per_neuron}
