"""Validation of numbers that users pass, as Python or NumPy scalars."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import SupportsIndex

import numpy as np
import torch

from systems.errors import InputError


def whole(name: str, value: object) -> int:
    """Convert a whole number to an int.

    Raises InputError, which names the setting, for anything else, including a bool.

    >>> whole("epochs", np.int64(3))
    3
    """
    try:
        if isinstance(value, bool | np.bool_) or not isinstance(value, SupportsIndex):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise InputError(f"{name} must be a whole number, not {value!r}") from None


def real(name: str, value: object) -> float:
    """Convert a finite number to a float.

    Raises InputError, which names the setting, for anything else, including a bool.

    >>> real("mu", np.float32(0.5))
    0.5
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"{name} must be a finite number, not {value!r}")
    return float(value)


def reals(name: str, values: object) -> tuple[float, ...]:
    """Convert a list of finite numbers to floats.

    Raises InputError, which names the setting, for anything else, including a text.

    >>> reals("shares", [3, np.float32(0.5)])
    (3.0, 0.5)
    """
    try:
        if isinstance(values, str):
            raise TypeError
        found = list(values)  # type: ignore[call-overload]
    except TypeError:
        raise InputError(f"{name} must be a list of numbers, not {values!r:.80}") from None
    return tuple(real(f"each number in {name}", value) for value in found)


def seeded(seed: object) -> torch.Generator:
    """Return a random number generator with the given seed. Raises InputError if torch does not accept the seed.

    >>> seeded(np.int64(3)).initial_seed()
    3
    """
    seed = whole("seed", seed)
    if not -(2**63) <= seed < 2**64:
        raise InputError(f"seed must be at least -2^63 and less than 2^64, not {seed}")
    return torch.Generator().manual_seed(seed)
