"""The number of threads among which compiled solvers divide the orbits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_allowed: ContextVar[int | None] = ContextVar("_allowed", default=None)
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}  # by process, as a forked one has no threads, and by size


def allowed() -> int:
    """Return the number of threads that solvers may use: that of torch, unless it is set by `solvers_of`."""
    return _allowed.get() or torch.get_num_threads()


@contextmanager
def solvers_of(threads: int) -> Iterator[None]:
    """Return a context in which solvers use this many threads, whatever torch uses.

    Orbits are independent of each other, so that several threads pay where torch, which divides single operations, needs one.
    """
    token = _allowed.set(threads)
    try:
        yield
    finally:
        _allowed.reset(token)


def spread(work: Callable[[int], None], n: int, threads: int) -> None:
    """Call a function, which releases Python's lock, with the numbers from 0 to n - 1, in several threads."""
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="orbits")
    list(_pools[key].map(work, range(n)))
