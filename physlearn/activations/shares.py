"""How types of neurons share out a layer."""

from __future__ import annotations


def shares(neurons: int, types: int) -> list[int]:
    """How many neurons each type gets: equal shares, the first types taking what is left over.

    >>> shares(100, 3)
    [34, 33, 33]
    """
    return [neurons // types + (i < neurons % types) for i in range(types)]
