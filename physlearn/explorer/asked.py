"""A request of the page: values by name, each checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError


class Asked:
    """The values of a request.

    Parameters
    ----------
    values : object
        A JSON value; anything but an object is refused.

    Raises
    ------
    InputError
        If a value is missing or of another kind; each message names it.
    """

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise InputError(f"a request must be a JSON object, not {values!r:.40}")
        self._values: Mapping[str, Any] = values

    def has(self, name: str) -> bool:
        """Return whether there is a value that is not null."""
        return self._values.get(name) is not None

    def flag(self, name: str) -> bool:
        """Return whether a value is true; it is false if it is missing."""
        return self._values.get(name) is True

    def word(self, name: str) -> str:
        """Return a short text."""
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > 200:
            raise InputError(f"{name} must be a text of at most 200 characters, not {value!r:.40}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """Return a number within limits."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InputError(f"{name} must be a number from {low:g} to {high:g}, not {value!r:.40}")
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int:
        """Return a whole number within limits."""
        value = self.number(name, low, high)
        if value != round(value):
            raise InputError(f"{name} must be a whole number, not {value:g}")
        return int(value)

    def states(self, name: str, shape: Sequence[int]) -> Float[Tensor, "..."]:
        """Return an array of finite numbers of a shape."""
        value = self._values.get(name)
        try:
            found = torch.tensor(value, dtype=torch.float64)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            found = torch.empty(0)
        if tuple(found.shape) != tuple(shape) or not found.isfinite().all():
            raise InputError(f"{name} must hold {' x '.join(map(str, shape))} finite numbers, not {value!r:.80}")
        return found

    def parts(self, name: str, most: int) -> list[Asked]:
        """Return a list of requests of their own."""
        value = self._values.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise InputError(f"{name} must be a list of at most {most} objects, not {value!r:.40}")
        return [Asked(part) for part in value]


def plain(values: Tensor, digits: int = 5) -> list[Any]:
    """Return an array as nested lists for JSON, rounded to digits of its largest value. NaN and infinities become null.

    >>> plain(torch.tensor([1.234567, float("nan")]))
    [1.2346, None]
    """
    values = values.detach().to(torch.float64)
    finite = values[values.isfinite()]
    largest = float(finite.abs().max()) if len(finite) else 0.0
    decimals = digits - 1 - math.floor(math.log10(largest)) if largest > 0 else 0
    rounded = torch.round(values, decimals=max(-300, min(300, decimals))) if largest > 0 else values
    return _filled(rounded.tolist()) if len(finite) < values.numel() else rounded.tolist()


def _filled(values: Any) -> Any:
    if isinstance(values, list):
        return [_filled(value) for value in values]
    return values if math.isfinite(values) else None
