"""The number of threads among which compiled solvers divide the orbits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_allowed: ContextVar[int | None] = ContextVar("_allowed", default=None)


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
