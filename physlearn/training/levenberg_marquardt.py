r"""The Levenberg-Marquardt method for sums of squares, of which it needs the gradient and the normal equations.

.. math:: (J^T J + \lambda \mu) \, \delta = -J^T r

Here mu is the mean of the diagonal of :math:`J^T J`. The damping lambda falls by a factor of 5 after each step, and doubles
until the loss decreases. The matrix takes most of the time of a step, but a search for the damping with the smallest loss was
found to converge more slowly.

References
----------
Transtrum and Sethna, Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares minimization,
arXiv:1201.5885 (2012).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, cho_factor, cho_solve

Step = TypeVar("Step")


@dataclass
class Damping:
    """The damping of steps, which rises until one of them is accepted, and falls afterwards.

    Parameters
    ----------
    now
        The damping of the next step.
    lower, higher
        Factors by which it falls and rises.
    least, most
        Its bounds. With a larger damping, a step would change nothing.
    """

    now: float = 1e-4
    lower: float = 5.0
    higher: float = 2.0
    least: float = 1e-15
    most: float = 1e9

    def accepted(self, tried: Callable[[float], Step | None]) -> Step | None:
        """Return what ``tried`` returns for the smallest damping for which that is not None, or None if there is none."""
        while self.now < self.most:
            found = tried(self.now)
            if found is not None:
                self.now = max(self.least, self.now / self.lower)
                return found
            self.now *= self.higher
        return None


class Errors(Protocol):
    """Errors of which a loss is the sum of the squares."""

    def loss(self, weights: Float[np.ndarray, " P"]) -> float:
        """Return the sum of the squares."""

    def gradient(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return half of the gradient of the loss."""

    def matrix(self, weights: Float[np.ndarray, " P"], step: int) -> Float[np.ndarray, "P P"]:
        """Return an estimate of the matrix of the normal equations, which may depend on the number of the step."""


def descend(errors: Errors, weights: Float[np.ndarray, " P"], steps: int) -> Iterator[Float[np.ndarray, " P"]]:
    """Yield the weights after each step, whose loss is smaller each time.

    The descent ends early if no damping leads to a smaller loss.

    Parameters
    ----------
    errors
        The errors.
    weights : shape ``(P,)``
        Weights to start from.
    steps
        Largest number of steps.

    Yields
    ------
    ndarray, shape ``(P,)``
        The weights.
    """
    loss, damping = errors.loss(weights), Damping()
    for step in range(steps):
        gradient, matrix = errors.gradient(weights), errors.matrix(weights, step)
        tried = partial(_tried, errors, weights, loss, gradient, matrix, float(matrix.diagonal().mean()))
        found = damping.accepted(tried)
        if found is None:
            return
        weights, loss = found
        yield weights


def _tried(
    errors: Errors, weights: np.ndarray, loss: float, gradient: np.ndarray, matrix: np.ndarray, size: float, damping: float
) -> tuple[np.ndarray, float] | None:
    """Return the weights after a damped step and their loss, or None unless that is smaller."""
    moved = _moved(weights, gradient, matrix, damping * size)
    reached = np.inf if moved is None else errors.loss(moved)
    return None if moved is None or not reached < loss else (moved, reached)


def _moved(weights: np.ndarray, gradient: np.ndarray, matrix: np.ndarray, shift: float) -> np.ndarray | None:
    """Return the weights after a step, or None if the damped matrix is singular to rounding or not finite."""
    damped = matrix.copy()
    damped[np.diag_indices_from(damped)] += shift
    try:
        factor = cho_factor(damped, lower=True, overwrite_a=True)
    except (LinAlgError, ValueError):  # ValueError: it is not finite
        return None
    return weights - cho_solve(factor, gradient)
