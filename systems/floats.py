"""Conversion of arrays, lists and tensors to tensors of floating-point numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from systems.errors import InputError

TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def floats(values: Any, what: str, like: Tensor | None = None) -> Tensor:
    """Convert values to a tensor of floating-point numbers. Values that are not a tensor are copied.

    Parameters
    ----------
    values
        A tensor, which is returned unchanged; a NumPy array, which keeps its precision; or (nested) lists of numbers. Lists
        and arrays of whole numbers become float64.
    what
        What the values are, for error messages.
    like
        A tensor that sets the dtype and the device. Lists and arrays are moved to its device; tensors must already be there.

    Returns
    -------
    Tensor
        The values, in the shape in which they were given.

    Raises
    ------
    InputError
        If the values are a tensor of whole numbers, complex numbers, booleans, text, a masked or ragged array, or a tensor on
        another device.

    Examples
    --------
    >>> floats([0, 1], "times")
    tensor([0., 1.], dtype=torch.float64)
    """
    tensor = values if isinstance(values, Tensor) else _copied(values, what)
    if tensor.dtype not in TYPES:
        raise InputError(f"{what} must be floating-point numbers, not {str(tensor.dtype).removeprefix('torch.')}")
    if like is None:
        return tensor
    if isinstance(values, Tensor) and values.device != like.device:
        raise InputError(f"{what} are on {values.device}, but the states are on {like.device}; move them to one device")
    return tensor.to(like.device, like.dtype)


def _copied(values: Any, what: str) -> Tensor:
    try:
        if isinstance(values, list | tuple) and any(isinstance(part, Tensor) for part in values):
            return torch.stack([torch.as_tensor(part) for part in values])
        if np.ma.is_masked(values):
            raise InputError(f"{what} contain masked values; fill them, with NaN where a state is unknown")
        array = np.array(values, order="C")
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what} must form an array of numbers, but cannot be converted to one ({error})") from error
    if array.dtype.kind not in "iuf":
        raise InputError(f"{what} must be floating-point numbers, not {array.dtype}")
    own = array.dtype.newbyteorder("=")
    precision = own if own in ("f2", "f4") and not isinstance(values, list | tuple) else np.dtype("f8")
    return torch.from_numpy(array.astype(precision, copy=False))
