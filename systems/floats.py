"""Conversion of arrays, lists and tensors to tensors of floating-point numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor

from systems.errors import InputError

HALF = (torch.float16, torch.bfloat16)
TYPES = (*HALF, torch.float32, torch.float64)
STATES = ("z", "z0")  # arguments whose last axis has one entry per coordinate

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def takes_arrays(*names: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Turn NumPy arrays and lists among the named arguments into tensors by `floats`: a decorator.

    Tensors, numbers, None and all other arguments are passed on as they are. Tables of states with named columns (pandas, or
    xarray with a named last axis) are put into the order of the coordinates of the function's first argument, or of its
    object, if that has any.

    Examples
    --------
    >>> @takes_arrays("z")
    ... def energy(z):
    ...     return z.square().sum(-1) / 2
    >>> energy(np.array([3.0, 4.0])), energy([3, 4])
    (tensor(12.5000, dtype=torch.float64), tensor(12.5000, dtype=torch.float64))
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        parameters = list(inspect.signature(function).parameters)
        places = [(i, name) for i, name in enumerate(parameters) if name in names]

        @wraps(function)
        def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            flow = args[0] if args else kwargs.get(parameters[0])
            for place, name in places:
                if place < len(args):
                    if _is_array(args[place]):
                        args = (*args[:place], _taken(args[place], name, flow), *args[place + 1 :])  # type: ignore[assignment]
                elif name in kwargs and _is_array(kwargs[name]):
                    kwargs[name] = _taken(kwargs[name], name, flow)
            return function(*args, **kwargs)

        return call

    return decorate


def _is_array(value: object) -> bool:
    return not isinstance(value, Tensor) and (isinstance(value, list | tuple) or hasattr(value, "__array__"))


def _taken(values: object, name: str, flow: object) -> Tensor:
    return floats(_in_order(values, flow) if name in STATES else values, name)


def _in_order(values: Any, flow: object) -> object:
    """Return the states of a table with named columns in the order of a flow's coordinates."""
    coordinates = list(getattr(flow, "coordinates", ()))
    table = hasattr(values, "columns")  # of pandas; of xarray, the last axis has names
    if not coordinates or not (table or bool(getattr(values, "dims", ()))):
        return values
    columns = values.columns if table else values.indexes.get(values.dims[-1], ())
    names = [name for name in columns if isinstance(name, str)]
    if not names or names == coordinates:
        return values
    if sorted(names) != sorted(coordinates) or len(names) != len(columns):
        raise InputError(
            f"the states have the columns {', '.join(map(str, columns))}, but the flow has {', '.join(coordinates)}"
        )
    return values[coordinates] if table else values.sel({values.dims[-1]: coordinates})


def floats(values: object, what: str, like: Tensor | None = None) -> Tensor:
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
        If the values are a tensor of whole numbers, complex numbers, booleans, text, a masked or ragged array, a sparse
        tensor, or a tensor on another device.

    Examples
    --------
    >>> floats([0, 1], "times")
    tensor([0., 1.], dtype=torch.float64)
    """
    tensor = values if isinstance(values, Tensor) else _copied(values, what)
    if tensor.layout != torch.strided or (tensor.is_meta and like is None):
        raise InputError(f"{what} must be a dense tensor with values, not a {'meta' if tensor.is_meta else 'sparse'} one")
    if tensor.dtype not in TYPES:
        raise InputError(f"{what} must be floating-point numbers, not {str(tensor.dtype).removeprefix('torch.')}")
    if like is None:
        return tensor
    if isinstance(values, Tensor) and values.device != like.device:
        raise InputError(f"{what} are on {values.device}, but the states are on {like.device}; move them to one device")
    return tensor.to(like.device, like.dtype)


def _copied(values: object, what: str) -> Tensor:
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
