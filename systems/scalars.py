"""Numbers as users give them: Python's own or NumPy's."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import numpy as np
import torch

from systems.errors import InputError


def whole(name: str, value: Any) -> int:
    """Return a whole number as an int. Raises InputError, naming the setting, for anything else; a bool is no number.

    >>> whole("epochs", np.int64(3))
    3
    """
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise InputError(f"{name} must be a whole number, not {value!r}") from None


def real(name: str, value: Any) -> float:
    """Return a finite number as a float. Raises InputError, naming the setting, for anything else; a bool is no number.

    >>> real("mu", np.float32(0.5))
    0.5
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"{name} must be a finite number, not {value!r}")
    return float(value)


def seeded(seed: Any) -> torch.Generator:
    """Return a generator of the random numbers of a seed. Raises InputError unless torch takes it.

    >>> seeded(np.int64(3)).initial_seed()
    3
    """
    seed = whole("seed", seed)
    if not -(2**63) <= seed < 2**64:
        raise InputError(f"a seed lies between -2^63 and 2^64, so {seed} is not one")
    return torch.Generator().manual_seed(seed)
