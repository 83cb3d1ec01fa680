"""Fourier: trained sines and cosines of multiples of the input."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

from physlearn.activations.named import find
from physlearn.activations.trained.combination import MOST
from physlearn.activations.trained.terms import Sum, Term
from systems import InputError
from systems.scalars import reals

MULTIPLES = (0.5, 1.0, 1.5, 2.0)


class Fourier(Sum):
    r"""A sum of sines and cosines, whose coefficients train jointly with the weights of the network.

    .. math:: \sigma(x) = \sum_k a_k \sin m_k x + b_k \cos m_k x

    Parameters
    ----------
    multiples
        The M positive factors :math:`m_k`; by default 1/2, 1, 3/2 and 2. With the default the period is :math:`4 \pi`, more
        than the inputs of most neurons span.
    start
        Initial coefficients, first all a, then all b. By default, the function starts as the sine of the multiple closest to
        one, so that training starts with the network of the sine.
    per_neuron
        Whether each neuron has its own coefficients. By default, all neurons of a layer share them.

    Attributes
    ----------
    coefficients : Parameter, shape ``(1, 2 M)``, or ``(neurons, 2 M)`` with ``per_neuron``
        The coefficients. In a stack of R networks, they have a first axis of length R.

    Raises
    ------
    InputError
        If the multiples are not 1 to 100 positive numbers, or the number of coefficients is not twice theirs.

    Examples
    --------
    >>> import torch
    >>> activation = Fourier(multiples=[1.0, 2.0], start=[0.0, 0.0, 1.0, 0.0])
    >>> activation(torch.tensor([0.0, torch.pi])).round(decimals=6)
    tensor([ 1., -1.], grad_fn=<RoundBackward1>)
    """

    kind = "fourier"

    def __init__(
        self, multiples: Sequence[float] = MULTIPLES, start: Sequence[float] | None = None, per_neuron: bool = False
    ) -> None:
        self.multiples = reals("multiples", multiples)
        if not 1 <= len(self.multiples) <= MOST or min(self.multiples) <= 0:
            raise InputError(f"multiples must be 1 to {MOST} positive numbers, such as (0.5, 1.0), not {multiples!r:.80}")
        sine = find("sine")
        terms = [Term(sine, multiple, shift) for shift in (0.0, pi / 2) for multiple in self.multiples]
        closest = min(range(len(self.multiples)), key=lambda k: abs(self.multiples[k] - 1))
        alone = [float(k == closest) for k in range(len(terms))]
        super().__init__(terms, alone if start is None else start, per_neuron)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"multiples": list(self.multiples), "start": list(self.start), "per_neuron": self.per_neuron}
