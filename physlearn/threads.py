"""One thread for small work: with more, they wait for each other, and on a busy machine almost for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 32_768  # elements; torch itself splits elementwise work no finer


@contextmanager
def suited_to(elements: int) -> Iterator[None]:
    """Inside, torch uses one thread when the work on each tensor is small, else as many as before.

    elements: of the largest tensor that is worked on.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if elements <= SMALL else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
