"""Blocks: orbits side by side, and the threads among which blocks are divided."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from systems.compiled.function import LANES, Function
from systems.compiled.loops import Array
from systems.compiled.threads import allowed

WORTH_THREADS = 2_000_000  # operations; less work is done before several threads have started

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}  # by process, as a forked one has no threads, and by size


def lanes_of(function: Function, n: int) -> int:
    """Return how many of n orbits lie side by side for a function: one, or as many as its code for several takes."""
    return LANES if n > 1 and function.wide else 1


def side_by_side(states: Array, lanes: int) -> Array:
    """Return ``(n, ...)`` as ``(blocks, ..., lanes)``; the last block is filled up with copies of the last one."""
    blocks = -(-len(states) // lanes)
    padded = np.concatenate([states, np.repeat(states[-1:], blocks * lanes - len(states), axis=0)])
    return np.ascontiguousarray(np.moveaxis(padded.reshape(blocks, lanes, *states.shape[1:]), 1, -1))


def one_by_one(blocks: Array, n: int) -> Array:
    """Return ``(blocks, ..., lanes)`` as ``(n, ...)``."""
    apart = np.moveaxis(blocks, -1, 1)
    return np.ascontiguousarray(apart.reshape(-1, *apart.shape[2:])[:n])


def each_block(work: Callable[[int], None], blocks: int, operations: int) -> None:
    """Call a function, which releases Python's lock, with the number of each block, in several threads if that pays."""
    threads = min(allowed(), blocks)
    if threads > 1 and operations > WORTH_THREADS:
        spread(work, blocks, threads)
    else:
        for place in range(blocks):
            work(place)


def spread(work: Callable[[int], None], n: int, threads: int) -> None:
    """Call a function, which releases Python's lock, with the numbers from 0 to n - 1, in several threads."""
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="orbits")
    list(_pools[key].map(work, range(n)))
