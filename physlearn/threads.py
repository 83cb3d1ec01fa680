"""Limit small computations to one thread: several would wait for each other, and on a busy machine almost forever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numba
import torch

from systems.compiled.threads import allowed, solvers_of

SMALL = 2**18  # elements; here two threads save a quarter of the time, but take ten times as long on busy cores


@contextmanager
def suited_to(elements: int) -> Iterator[None]:
    """Return a context in which torch and compiled loops use one thread if the tensors are small, else as many as before.

    ``elements`` is the number of elements of the largest tensor involved.
    """
    threads = torch.get_num_threads()
    with loops_of(1 if elements <= SMALL else None), solvers_of(allowed()):
        torch.set_num_threads(1 if elements <= SMALL else threads)
        yield


@contextmanager
def loops_of(threads: int | None) -> Iterator[None]:
    """Return a context in which compiled loops use at most this many threads.

    On exit, torch's number of threads is restored, because the OpenMP library that torch and the loops share may change it
    when the loops start.
    """
    of_torch = torch.get_num_threads()  # before the call to numba, which may start its threading layer
    of_loops = numba.get_num_threads()
    numba.set_num_threads(max(1, min(of_loops, threads or of_loops)))
    try:
        yield
    finally:
        numba.set_num_threads(of_loops)
        if torch.get_num_threads() != of_torch:
            torch.set_num_threads(of_torch)


def _one_thread_after_fork() -> None:
    """Use one thread in a forked process, where GNU OpenMP, which torch uses, would wait forever for the parent's threads."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread_after_fork)
