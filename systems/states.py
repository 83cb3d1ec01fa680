"""Checks of states and times that a user hands in."""

from __future__ import annotations

import torch
from torch import Tensor

from systems.autograd_mode import ordinary, plain
from systems.errors import InputError
from systems.floats import floats


def numbers(given: object, what: str) -> Tensor:
    """Convert an argument to a float64 tensor. Raises InputError if it does not consist of numbers."""
    with ordinary():
        tensor = plain(given) if isinstance(given, Tensor) else floats(given, what)
        if tensor.is_complex() or tensor.dtype == torch.bool:
            raise InputError(f"{what} must be real numbers, not {str(tensor.dtype).removeprefix('torch.')}")
        return tensor.to(torch.float64)


def check_states(z: Tensor, coordinates: tuple[str, ...]) -> None:
    """Raise InputError unless the last axis of the states has one entry per coordinate and all states are finite."""
    if z.ndim == 0 or z.shape[-1] != len(coordinates):
        raise InputError(
            f"states must have {len(coordinates)} coordinates ({', '.join(coordinates)}) on their last axis, "
            f"not shape {tuple(z.shape)}"
        )
    if not torch.isfinite(z).all():
        raise InputError("initial states must be finite numbers, but some are NaN or infinite")


def check_times(t: Tensor, shape: torch.Size | None = None) -> None:
    """Raise InputError unless the times of each orbit are finite and strictly increase or strictly decrease.

    With ``shape``, the shape ``(..., T)`` of some orbits, each of them may have times of its own.
    """
    if t.ndim == 0 or t.shape[-1] == 0 or (t.ndim > 1 and shape is None):
        raise InputError(f"an orbit needs a one-dimensional list of at least one time, not times of shape {tuple(t.shape)}")
    if shape is not None and t.ndim > 1 and t.shape != shape:
        raise InputError(
            f"times must have the shape ({t.shape[-1]},), or one row for each orbit, {tuple(shape)}, not {tuple(t.shape)}"
        )
    if not torch.isfinite(t).all():
        raise InputError("times must be finite numbers")
    steps = t.diff()
    if not ((steps > 0).all() or (steps < 0).all()):
        *row, where = (steps * steps.flatten()[0] <= 0).nonzero()[0].tolist()
        given, at = t[tuple(row)], "".join(f"{i}, " for i in row)
        raise InputError(
            f"times must strictly increase or strictly decrease, but t[{at}{where}] = {given[where]:g} "
            f"is followed by t[{at}{where + 1}] = {given[where + 1]:g}"
        )
