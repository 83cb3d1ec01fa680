"""Which combinations of the functions of a pool a search tries, level by level: single functions, pairs, triples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import torch

from physlearn.metalearning.halving import Members
from physlearn.metalearning.pool import DICTIONARY, Pool

LAST = 3 / 4  # share of the candidates that have as many types as are wanted; the rest find the best smaller combinations
EXTENDED = 4  # number of the best smaller combinations that are extended


def shares(candidates: int, types: int) -> list[int]:
    """Return how many candidates have 1, 2, ... and finally all types."""
    sizes: list[int] = []
    for _ in range(types - 1):
        sizes.append(round(LAST * (candidates - sum(sizes))))
    return [candidates - sum(sizes), *reversed(sizes)]


def singles(pool: Pool, count: int) -> list[Members]:
    """Return the first functions of the pool, each for itself."""
    return [(k,) for k in range(min(count, len(pool.names)))]


def named(types: int) -> list[Members]:
    """Return all combinations of named functions."""
    return list(combinations(range(len(DICTIONARY)), types))


def extended(pool: Pool, smaller: Sequence[Members], types: int, count: int, generator: torch.Generator) -> list[Members]:
    """Return combinations of ``types`` functions: named ones, extensions of the best smaller ones, and random ones.

    Parameters
    ----------
    pool
        The functions.
    smaller
        Combinations of ``types - 1`` functions, the best first.
    types, count
        Number of functions in a combination, and number of combinations.
    generator
        Source of random numbers.
    """
    known = named(types)
    if len(known) > count // 2:
        order = torch.randperm(len(known), generator=generator)[: count // 2]
        known = [known[k] for k in order.tolist()]
    found = dict.fromkeys(known)
    left = count - len(found)
    for own in islice(_extensions(pool, smaller[:EXTENDED], generator), 2 * left // 3):
        found.setdefault(own)
    most = 20 * count
    while len(found) < count and (most := most - 1):
        found.setdefault(tuple(sorted(torch.randperm(len(pool.names), generator=generator)[:types].tolist())))
    return list(found)


def _extensions(pool: Pool, smaller: Sequence[Members], generator: torch.Generator) -> Iterator[Members]:
    """Yield every small combination with every other function, in random order."""
    for k in torch.randperm(len(pool.names), generator=generator).tolist():
        for own in smaller:
            if k not in own:
                yield tuple(sorted((*own, k)))
