"""Arrays, lists and tensors as tensors of floating-point numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor

from systems.errors import InputError

TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def takes_arrays(*names: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Turn NumPy arrays and lists among the named arguments into tensors by `floats`: a decorator.

    Tensors, numbers, None and all other arguments are passed on as they are.

    Examples
    --------
    >>> @takes_arrays("z")
    ... def energy(z):
    ...     return z.square().sum(-1) / 2
    >>> energy(np.array([3.0, 4.0])), energy([3, 4])
    (tensor(12.5000, dtype=torch.float64), tensor(12.5000, dtype=torch.float64))
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        places = [(i, name) for i, name in enumerate(inspect.signature(function).parameters) if name in names]

        @wraps(function)
        def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            for place, name in places:
                if place < len(args):
                    if _is_array(args[place]):
                        tensor = floats(args[place], name)
                        args = (*args[:place], tensor, *args[place + 1 :])  # type: ignore[assignment]
                elif name in kwargs and _is_array(kwargs[name]):
                    kwargs[name] = floats(kwargs[name], name)
            return function(*args, **kwargs)

        return call

    return decorate


def _is_array(value: Any) -> bool:
    return not isinstance(value, Tensor) and (isinstance(value, list | tuple) or hasattr(value, "__array__"))


def floats(values: Any, what: str, like: Tensor | None = None) -> Tensor:
    """Return a tensor of floating-point numbers; what is not a tensor is copied.

    Parameters
    ----------
    values
        A tensor, which is kept as it is; a NumPy array, whose precision is kept; or numbers in (nested) lists. Lists and
        whole numbers become float64.
    what
        What the values are, for the error.
    like
        A tensor whose dtype is taken, and on whose device the values have to be; lists and arrays are moved there.

    Raises
    ------
    InputError
        For whole-number tensors, complex numbers, booleans, text, masked or ragged arrays, and tensors on another device.

    Examples
    --------
    >>> floats([0, 1], "times")
    tensor([0., 1.], dtype=torch.float64)
    """
    tensor = values if isinstance(values, Tensor) else _copied(values, what)
    if tensor.dtype not in TYPES:
        raise InputError(f"{what} must be floating point numbers, not {str(tensor.dtype).removeprefix('torch.')}")
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
            raise InputError(f"{what} are masked in places; fill them, with NaN for states that are not known")
        array = np.array(values, order="C")
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what} are no array of numbers ({error})") from error
    if array.dtype.kind not in "iuf":
        raise InputError(f"{what} must be floating point numbers, not {array.dtype}")
    own = array.dtype.newbyteorder("=")
    precision = own if own in ("f2", "f4") and not isinstance(values, list | tuple) else np.dtype("f8")
    return torch.from_numpy(array.astype(precision, copy=False))
