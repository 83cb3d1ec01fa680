"""One thread for small work: with more, they wait for each other, and on a busy machine almost for ever."""

from __future__ import annotations

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
    before, loops_before = torch.get_num_threads(), numba.get_num_threads()
    if elements <= SMALL:
        torch.set_num_threads(1)
        numba.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        numba.set_num_threads(loops_before)
