"""Whether a compiled field and the field that it stands for agree, and at which states they are compared."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

AGREEMENT = 1e-9  # largest difference, relative to the largest rate
OFF = 0.03  # relative distance of the states at which constants that should depend on the state are found


@lru_cache(maxsize=64)
def off(shape: torch.Size) -> Tensor:
    """Return factors near 1 that differ between the coordinates of all states."""
    return 1 + OFF * torch.linspace(-1, 1, shape.numel(), dtype=torch.float64).reshape(shape).cos()


def agree(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Return whether rates are equal up to rounding, or both not finite in the same way."""
    with np.errstate(invalid="ignore"):
        apart, size = np.abs(found - wanted), np.abs(wanted)
        if apart.size == 0 or apart.max() <= AGREEMENT * size.max() < np.inf:  # the usual case, in few operations
            return True
        sizes = np.where(np.isfinite(size), size, 0.0)
        same = apart <= AGREEMENT * (sizes.max() + sizes)
    return bool((same | (found == wanted) | (np.isnan(found) & np.isnan(wanted))).all())
