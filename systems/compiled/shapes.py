"""Operators of torch that only arrange elements, for NumPy arrays of any objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray


def _squeezed(a: Array, dim: Any = None) -> Array:
    if dim is None:
        return np.squeeze(a)
    axes = [dim] if isinstance(dim, int) else dim
    return np.squeeze(a, axis=tuple(axis for axis in axes if a.shape[axis] == 1))


def _expanded(a: Array, shape: Sequence[int], implicit: bool = False) -> Array:
    missing = len(shape) - a.ndim
    return np.broadcast_to(a, [a.shape[k - missing] if n == -1 else n for k, n in enumerate(shape)])


def _split(a: Array, size: int | Sequence[int], dim: int = 0) -> list[Array]:
    length = a.shape[dim]
    sizes = [min(size, length - start) for start in range(0, length, size)] if isinstance(size, int) else list(size)
    return np.split(a, np.cumsum(sizes)[:-1], axis=dim)


def _sliced(a: Array, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Array:
    return a[(slice(None),) * (dim % a.ndim) + (slice(start, end, step),)]


def _rolled(a: Array, shifts: Any, dims: Any = ()) -> Array:
    return np.roll(a, shifts, axis=tuple(dims) if dims else None)


SHAPES: dict[str, Callable[..., Any]] = {
    "view": lambda a, shape: a.reshape(shape),
    "_unsafe_view": lambda a, shape: a.reshape(shape),
    "reshape": lambda a, shape: a.reshape(shape),
    "expand": _expanded,
    "permute": lambda a, dims: a.transpose(dims),
    "transpose": lambda a, i, j: np.swapaxes(a, i, j),
    "t": lambda a: a.T,
    "unsqueeze": lambda a, dim: np.expand_dims(a, dim),
    "squeeze": _squeezed,
    "select": lambda a, dim, index: np.moveaxis(a, dim, 0)[index, ...],
    "slice": _sliced,
    "split": _split,
    "split_with_sizes": _split,
    "unbind": lambda a, dim=0: [np.moveaxis(a, dim, 0)[k, ...] for k in range(a.shape[dim])],
    "stack": lambda parts, dim=0: np.stack(parts, dim),
    "cat": lambda parts, dim=0: np.concatenate(parts, dim),
    "flip": lambda a, dims: np.flip(a, tuple(dims)),
    "roll": _rolled,
    "diagonal": lambda a, offset=0, dim1=0, dim2=1: np.diagonal(a, offset, dim1, dim2),
    "repeat": lambda a, repeats: np.tile(a, tuple(repeats)),
    "clone": lambda a, **_: a.copy(),
    "contiguous": lambda a, **_: a,
    "detach": lambda a: a,
    "alias": lambda a: a,
    "lift_fresh_copy": lambda a: a.copy(),
}
