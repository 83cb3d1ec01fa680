"""Functions that watch a training, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

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
    """Call all of them, and return whether one of them returned True. Other values do not end the training."""
    results = [one(*args) for one in callbacks]
    return any(isinstance(one, bool | np.bool_) and bool(one) for one in results)
