"""A weighted sum of functions with fixed scales and shifts, whose weights train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from physlearn.activations.named import Named
from physlearn.activations.trained.trained import Trained
from systems import InputError


class Term(NamedTuple):
    """The function f(scale * x + shift)."""

    function: Named
    scale: float = 1.0
    shift: float = 0.0

    def at(self, x: Tensor) -> Tensor:
        """Return the argument of f."""
        x = x if self.scale == 1 else self.scale * x
        return x if self.shift == 0 else x + self.shift


class Sum(Trained):
    r"""A trained weighted sum of terms.

    .. math:: \sigma(x) = \sum_k c_k\, f_k(s_k x + h_k)

    Parameters
    ----------
    terms
        The K terms.
    start
        Initial weights :math:`c_k`.
    per_neuron
        Whether each neuron has its own weights.

    Raises
    ------
    InputError
        If the numbers of terms and weights differ, or there are none.
    """

    def __init__(self, terms: Sequence[Term], start: Sequence[float], per_neuron: bool) -> None:
        super().__init__(start, per_neuron)
        self.terms = tuple(terms)
        if not terms or len(self.start) != len(terms):
            raise InputError(
                f"start must have one number for each of the {len(terms)} functions, of which there must be at least one, but "
                f"it has {len(self.start)}"
            )

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the sum.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Values of the sum.
        """
        return _added([c * term.function.value(term.at(x)) for c, term in self._weighted()])

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
        return _added([c * term.scale * term.function.first(term.at(x)) for c, term in self._weighted()])

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
        return _added([c * term.scale**2 * term.function.second(term.at(x)) for c, term in self._weighted()])

    def _weighted(self) -> list[tuple[Tensor, Term]]:
        return list(zip(self.each(), self.terms, strict=True))


def _added(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
