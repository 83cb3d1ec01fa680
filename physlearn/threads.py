"""One thread for small work: with more, they wait for each other, and on a busy machine almost for ever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numba
import torch

SMALL = 2**18  # elements; two threads save a quarter of the time here, and cost ten times as much where the cores are busy


@contextmanager
def suited_to(elements: int) -> Iterator[None]:
    """Inside, torch and compiled loops use one thread when the work on each tensor is small, else as many as before.

    elements: of the largest tensor that is worked on.
    """
    threads = torch.get_num_threads()
    with loops_of(1 if elements <= SMALL else None):
        torch.set_num_threads(1 if elements <= SMALL else threads)
        yield


@contextmanager
def loops_of(threads: int | None) -> Iterator[None]:
    """Inside, compiled loops use at most so many threads.

    Torch's number is as before in the end: a library beneath shares it with the loops, and sets it when these begin.
    """
    of_torch = torch.get_num_threads()  # before numba is asked, which may begin its own
    of_loops = numba.get_num_threads()
    numba.set_num_threads(max(1, min(of_loops, threads or of_loops)))
    try:
        yield
    finally:
        numba.set_num_threads(of_loops)
        if torch.get_num_threads() != of_torch:
            torch.set_num_threads(of_torch)


def _one_thread_after_fork() -> None:
    """GNU's OpenMP, beneath torch, waits for ever in a forked process for the threads that its parent had."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread_after_fork)
