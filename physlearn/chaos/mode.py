"""The autograd mode in which small deviations can be carried."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")


def own_mode(function: Callable[P, R]) -> Callable[P, R]:
    """Have a function leave the caller's autograd mode.

    In inference mode forward-mode derivatives are zero without a word; with gradients on, long orbits keep every step.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.inference_mode(False), torch.no_grad():
            return function(*args, **kwargs)

    return run
