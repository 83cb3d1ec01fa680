"""Rational: a trained quotient of two polynomials whose denominator has no zeros."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations.trained.trained import Trained
from systems import InputError

SCALE = 3.0
"""The unit of x in both polynomials, in which inputs of neurons are of order one, and so all coefficients of the start are."""
TANH = (0.0, SCALE, 0.0, SCALE**3 / 9, 0.0, SCALE**5 / 945, 2 * SCALE / 3, 0.0, SCALE**2 / sqrt(63))
"""The coefficients of the Pade approximant of order [5/4] of tanh, whose error is below 5e-4 for abs(x) < 3."""


class Rational(Trained):
    r"""A quotient of polynomials, whose coefficients train jointly with the weights of the network.

    .. math:: \sigma(x) = \frac{\sum_{j=0}^{5} a_j u^j}{1 + (b_1 u + b_2 u^2)^2 + (b_3 u^2)^2}, \quad u = x / 3

    The denominator is at least one. Any polynomial of degree 4 that is nowhere less than its value of one at 0 has this form.

    Parameters
    ----------
    start
        Initial coefficients :math:`a_0, \dots, a_5, b_1, b_2, b_3`. By default, the function starts as the Pade approximant of
        tanh.
    per_neuron
        Whether each neuron has its own coefficients. By default, all neurons of a layer share them.

    Attributes
    ----------
    coefficients : Parameter, shape ``(1, 9)``, or ``(neurons, 9)`` with ``per_neuron``
        The coefficients. In a stack of R networks, they have a first axis of length R.

    Raises
    ------
    InputError
        If there are not nine finite coefficients.

    References
    ----------
    A. Molina, P. Schramowski and K. Kersting, Pade activation units: end-to-end learning of flexible activation functions in
    deep networks, ICLR 2020, arXiv:1907.06732. There, the denominator is :math:`1 + |b_1 x + \dots + b_4 x^4|`, whose
    derivative has jumps, so that a Hamiltonian network could not train well.

    Examples
    --------
    >>> import torch
    >>> x = torch.linspace(-3, 3, 100)
    >>> bool((Rational()(x) - x.tanh()).abs().max() < 5e-4)
    True
    """

    kind = "rational"

    def __init__(self, start: Sequence[float] | None = None, per_neuron: bool = False) -> None:
        super().__init__(TANH if start is None else start, per_neuron)
        if len(self.start) != len(TANH):
            raise InputError(f"a rational activation needs {len(TANH)} coefficients in start, not {len(self.start)}")

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"start": list(self.start), "per_neuron": self.per_neuron}

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the quotient.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Values of the quotient.
        """
        return self._derivatives(x, 0)[0]

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the first derivative.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            First derivatives.
        """
        return self._derivatives(x, 1)[1]

    def value_and_first(self, x: Float[Tensor, "*batch neurons"]) -> tuple[Tensor, Tensor]:
        """Evaluate the quotient and its first derivative in one pass.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        value, first : Tensor, shape ``(..., neurons)``
            Values and first derivatives.
        """
        value, first = self._derivatives(x, 1)
        return value, first

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the second derivative.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Second derivatives.
        """
        return self._derivatives(x, 2)[2]

    def _derivatives(self, x: Tensor, order: int) -> list[Tensor]:
        """Return the quotient and its derivatives up to an order of at most 2."""
        *a, b_1, b_2, b_3 = self.each()
        u = x / SCALE
        p, d, c = _polynomial(a, u), (b_1 + b_2 * u) * u, b_3 * u * u
        q = 1 + d * d + c * c
        found = [p[0] / q]
        if order > 0:
            d_1, c_1 = b_1 + 2 * b_2 * u, 2 * b_3 * u
            q_1 = 2 * (d * d_1 + c * c_1)
            found.append((p[1] - found[0] * q_1) / q)
        if order > 1:
            q_2 = 2 * (d_1 * d_1 + 2 * b_2 * d + c_1 * c_1 + 2 * b_3 * c)
            found.append((p[2] - 2 * found[1] * q_1 - found[0] * q_2) / q)
        return [part / SCALE**k for k, part in enumerate(found)]


def _polynomial(coefficients: Sequence[Tensor], u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a polynomial and its first two derivatives at u by Horner's rule."""
    value = first = half = torch.zeros_like(u)
    for coefficient in reversed(coefficients):
        half = half * u + first
        first = first * u + value
        value = value * u + coefficient
    return value, first, 2 * half
