"""Numbers as matplotlib takes them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from torch import Tensor


def array(values: object) -> Float[np.ndarray, "..."]:
    """Return a tensor, an array or a list of numbers as a NumPy array in float64."""
    return values.detach().cpu().double().numpy() if isinstance(values, Tensor) else np.asarray(values, dtype=float)
