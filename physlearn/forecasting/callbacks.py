"""Functions that watch a training, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from systems import InputError

Callback = Callable[[int, Mapping[str, float], Any], bool | None]
"""A function of the number of the epoch, the entries of its history, and a forecaster with the present weights."""


def listed(callbacks: Callback | Sequence[Callback]) -> list[Callback]:
    """Return callbacks as a list. Raises InputError unless they are functions."""
    found = [callbacks] if callable(callbacks) else list(callbacks) if isinstance(callbacks, list | tuple) else [None]
    if not all(callable(one) for one in found):
        raise InputError(f"callbacks must be functions of (epoch, row, forecaster), not {callbacks!r:.80}")
    return [one for one in found if one is not None]


def called(callbacks: Sequence[Callback], *args: Any) -> bool:
    """Call all of them, and return whether one of them ends the training. Raises InputError for results that do not say."""
    results = [_ends(one(*args)) for one in callbacks]
    return any(results)


def _ends(result: object) -> bool:
    """Return the truth value of None, a boolean, 0 or 1, which may be a scalar of NumPy or torch."""
    value = result.item() if isinstance(result, np.generic | np.ndarray | Tensor) and result.shape in ((), (1,)) else result
    if value is None or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise InputError(f"a callback returned {result!r:.80}; return True to end the training, and False or None to continue it")
