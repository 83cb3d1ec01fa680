"""The Jacobian of a long function, column by column, from its derivative along a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from systems.compiled.signature import call_into, pointer


@pointer
def columns(t: float, z: Any, p: Any, out: Any) -> None:
    """Write the matrix of derivatives in row-major order.

    The first numbers of p are the address of the function, which moves a state and one vector, the number of coordinates, and
    the length of the numbers that follow, which are those of the function.
    """
    head = carray(p, 3).view(np.int64)
    address, dim, length = head[0], head[1], head[2]
    numbers = carray(p, 3 + length)[3:]
    state, found = np.zeros(2 * dim), np.zeros((1, 2 * dim))
    for i in range(dim):
        state[2 * i] = z[i]
    for column in range(dim):
        state[2 * column + 1] = 1.0
        call_into(address, t, state, numbers, found, 0)
        state[2 * column + 1] = 0.0
        for row in range(dim):
            out[row * dim + column] = found[0, 2 * row + 1]
