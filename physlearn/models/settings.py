"""Checks of what a model is built with: the widths of its layers, its type and its device."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from systems import InputError
from systems.floats import TYPES
from systems.scalars import whole
from systems.size import check_memory

OPTIMISED = 4  # arrays of the size of a network's weights: gradients and the optimiser's moments beside them


def checked_widths(hidden: Sequence[int], networks: int = 1) -> tuple[int, ...]:
    """Return the widths of hidden layers. Raises InputError if they are no whole numbers, or do not fit in memory.

    >>> checked_widths([100, 50])
    (100, 50)
    """
    try:
        widths = tuple(whole("a width in hidden", width) for width in hidden)
    except TypeError:
        raise InputError(f"hidden must be a list of widths, such as (100,), not {hidden!r}") from None
    weights = sum(a * b for a, b in pairwise((1, *widths, 1)))
    many = f"{networks} networks" if networks > 1 else "networks"
    check_memory(OPTIMISED * networks * weights, f"{many} with {len(widths)} hidden layers as wide as that")
    return widths


def precision(dtype: torch.dtype, device: str | torch.device) -> tuple[torch.dtype, torch.device]:
    """Return a type and a device in which models can be trained. Raises InputError for others.

    >>> precision(torch.float32, "cpu")
    (torch.float32, device(type='cpu'))
    """
    if dtype not in TYPES:
        raise InputError(f"dtype must be a floating-point type of torch, such as torch.float32, not {dtype!r}")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"there is no device {device!r} here; use 'cpu'") from error
    if found.type == "meta":
        raise InputError("the device meta has no values; use 'cpu'")
    return dtype, found
