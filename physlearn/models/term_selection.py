r"""Selection of the coefficients that the data need: one after another is eliminated, and the choice must be stable.

The sum of squares is a quadratic function of the coefficients c, given by normal equations for each group of the data,

.. math:: \sum_g (c - c_0)^T M_g (c - c_0) - 2 (c - c_0)^T b_g ,

in units of the noise. From the model with all coefficients, the least significant one is removed again and again. Of all these
models, that with the smallest extended information criterion is chosen,

.. math:: \chi^2 + k (\ln n + 2 \ln P) .

Coefficients are then added, removed or exchanged for others as long as this makes the criterion smaller. How often a
coefficient is chosen in resampled data tells how stable the choice is.

References
----------
Brunton, Proctor and Kutz, PNAS 113, 3932 (2016). Chen and Chen, Biometrika 95, 759 (2008), for the criterion. Fasel, Kutz,
Brunton and Brunton, Proc. R. Soc. A 478, 20210904 (2022), for the bootstrap. Meinshausen and Bühlmann, J. R. Stat. Soc. B 72,
417 (2010), for the stability.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

import numpy as np

RESAMPLED = 50  # times that the groups are drawn anew
EXCHANGES = 20  # of a coefficient for another
NEGLIGIBLE = 1e-10  # smallest eigenvalue of the scaled equations, so that undetermined coefficients are removed first

Array = np.ndarray


@dataclass(frozen=True)
class Selection:
    """The chosen coefficients.

    Parameters
    ----------
    chosen : list of int
        Their indices.
    frequency : shape ``(P,)``
        The part of the resampled data in which each coefficient is chosen.
    """

    chosen: list[int]
    frequency: Array


def select(matrix: Array, right: Array, around: Array, values: int, seed: int = 0) -> Selection:
    """Choose coefficients.

    Parameters
    ----------
    matrix, right : shapes ``(G, P, P)`` and ``(G, P)``
        Normal equations M and b of each group.
    around : shape ``(P,)``
        The coefficients c_0.
    values : int
        Number n of data.
    seed : int
        Random seed of the bootstrap.
    """
    count, p = right.shape
    right = right + matrix @ around  # the equations for c itself
    price = log(max(values, 2)) + 2 * log(max(p, 2))
    whole = matrix.sum(0), right.sum(0)
    best = _exchanged(*whole, price, _eliminated(*whole, price))
    if count < 3:
        frequency = np.zeros(p)
        frequency[best] = 1.0
        return Selection(best, frequency)
    random, frequency = np.random.default_rng(seed), np.zeros(p)
    for _ in range(RESAMPLED):
        weight = np.bincount(random.integers(0, count, count), minlength=count).astype(float)
        frequency[_eliminated(np.tensordot(weight, matrix, 1), weight @ right, price)] += 1 / RESAMPLED
    return Selection(best, frequency)


def _eliminated(matrix: Array, right: Array, price: float) -> list[int]:
    """Return the coefficients of the best model on the path from all coefficients to none."""
    size = np.sqrt(np.diag(matrix))
    left = np.flatnonzero(size > 0)
    if not len(left):
        return []
    scaled = matrix[np.ix_(left, left)] / np.outer(size[left], size[left])
    values, vectors = np.linalg.eigh(scaled)
    inverse = (vectors / np.maximum(values, NEGLIGIBLE)) @ vectors.T
    value = inverse @ (right[left] / size[left])
    cost, removed, costs = 0.0, [], [0.0]
    alive = np.ones(len(left), dtype=bool)
    for _ in range(len(left)):
        variance = np.maximum(np.diag(inverse), 0.5)  # it is at least one, up to rounding
        significance = np.where(alive, value**2 / variance, np.inf)
        j = int(np.argmin(significance))
        cost += float(significance[j])
        column = inverse[:, j].copy()
        value = value - column * (value[j] / variance[j])
        inverse = inverse - np.outer(column, column) / variance[j]
        alive[j] = False
        removed.append(j)
        costs.append(cost)
    total = [c + price * (len(left) - k) for k, c in enumerate(costs)]
    kept = removed[int(np.argmin(total)) :]
    return sorted(int(left[j]) for j in kept)


def _exchanged(matrix: Array, right: Array, price: float, chosen: list[int]) -> list[int]:
    """Return a set of coefficients that adding, removing or exchanging one does not make better."""
    size = np.sqrt(np.diag(matrix))
    usable = np.flatnonzero(size > 0)
    scaled, wanted = matrix / np.outer(size, size).clip(1e-300), right / size.clip(1e-300)

    def criterion(some: list[int]) -> float:
        if not some:
            return 0.0
        inner = scaled[np.ix_(some, some)] + NEGLIGIBLE * np.eye(len(some))
        return float(price * len(some) - wanted[some] @ np.linalg.solve(inner, wanted[some]))

    def moves(some: list[int]) -> Iterator[list[int]]:
        others = [i for i in usable.tolist() if i not in some]
        for i in some:
            yield [j for j in some if j != i]
        for rest in (some, *([j for j in some if j != i] for i in some)):
            yield from ([*rest, k] for k in others)

    best = criterion(chosen)
    for _ in range(EXCHANGES):
        found = min(moves(chosen), key=criterion, default=chosen)
        if (lower := criterion(found)) >= best - 1e-9 * (1 + abs(best)):
            break
        chosen, best = found, lower
    return sorted(chosen)
