"""The two passes over the data of `piecewise_cubic` as compiled loops."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numba import prange
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

from physlearn.activations.activation import neurons_per_type
from physlearn.threads import loops_of
from systems.compiled.loops import Array, parallel_loop

FAST = {"contract", "nsz"}  # these preserve NaN and infinity


_compiled: Any = parallel_loop(nogil=True, fastmath=FAST)


def applies(*tensors: Tensor) -> bool:
    """Return whether the loops can process these tensors: plain tensors in main memory, all float32 or all float64."""
    dtypes = {tensor.dtype for tensor in tensors}
    return dtypes in ({torch.float32}, {torch.float64}) and not any(
        tensor.device.type != "cpu" or is_functorch_wrapped_tensor(tensor) for tensor in tensors
    )


def evaluate(x: Tensor, coefficients: Tensor, start: float, step: float) -> tuple[Tensor, Tensor]:
    """Return value and derivative at x ``(stack, n, neurons)`` for coefficients ``(stack, types, cells, 4)``."""
    x, coefficients = x.detach().contiguous(), coefficients.detach().contiguous()
    value, slope = torch.empty_like(x), torch.empty_like(x)
    with _threads_for(x):
        _evaluate(
            x.numpy(),
            coefficients.numpy(),
            *_real(x, start, 1 / step),
            _ends(x, coefficients.shape[1]),
            value.numpy(),
            slope.numpy(),
        )
    return value, slope


def collect(g: Tensor, x: Tensor, types: int, cells: int, start: float, step: float) -> Tensor:
    """Return the sums ``(stack, types, cells, 4)`` of g times each power of the distance; g, x: ``(stack, n, neurons)``."""
    g, x = g.detach().contiguous(), x.detach().contiguous()
    sums = x.new_zeros(len(x), types, cells, 4)
    with _threads_for(x):
        _collect(g.numpy(), x.numpy(), *_real(x, start, 1 / step), _ends(x, types), sums.numpy())
    return sums


def _threads_for(x: Tensor) -> AbstractContextManager[None]:
    """Return a context with at most one thread per member of the stack; on a busy machine, idle threads cost time."""
    return loops_of(len(x))


def _ends(x: Tensor, types: int) -> np.ndarray:
    """Return where the block of each type ends among the neurons."""
    return np.cumsum(neurons_per_type(x.shape[-1], types))


def _real(x: Tensor, *numbers: float) -> list[Any]:
    real = np.float32 if x.dtype == torch.float32 else np.float64
    return [real(number) for number in numbers]


@_compiled
def _evaluate(x: Array, c: Array, start: float, inverse: float, ends: Array, value: Array, slope: Array) -> None:
    stack, n, _ = x.shape
    last = x.dtype.type(c.shape[2] - 1)
    three = x.dtype.type(3)
    for r in prange(stack):
        for k in range(len(ends)):
            first = ends[k - 1] if k > 0 else 0
            table = c[r, k]
            for i in range(n):
                for j in range(first, ends[k]):
                    s = (x[r, i, j] - start) * inverse
                    cell = np.floor(s)
                    cell = cell if cell > 0 else x.dtype.type(0)  # also for NaN, for which the result is still NaN
                    cell = cell if cell < last else last
                    u = s - cell
                    m = int(cell)
                    b, q, d = table[m, 1], table[m, 2], table[m, 3]
                    value[r, i, j] = table[m, 0] + u * (b + u * (q + u * d))
                    slope[r, i, j] = (b + u * (q + q + three * u * d)) * inverse


@_compiled
def _collect(g: Array, x: Array, start: float, inverse: float, ends: Array, sums: Array) -> None:
    stack, n, _ = x.shape
    last = x.dtype.type(sums.shape[2] - 1)
    for r in prange(stack):
        for k in range(len(ends)):
            first = ends[k - 1] if k > 0 else 0
            total = sums[r, k]
            for i in range(n):
                for j in range(first, ends[k]):
                    s = (x[r, i, j] - start) * inverse
                    cell = np.floor(s)
                    cell = cell if cell > 0 else x.dtype.type(0)
                    cell = cell if cell < last else last
                    u = s - cell
                    w = g[r, i, j]
                    for power in range(4):
                        total[int(cell), power] += w
                        w *= u
