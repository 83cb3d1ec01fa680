"""Derivatives that do not depend on the caller's autograd mode.

In ``torch.inference_mode()`` torch records nothing, and some of its versions silently return zero for a derivative. Code that
differentiates therefore leaves that mode temporarily; its results are ordinary tensors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@contextmanager
def ordinary() -> Iterator[None]:
    """Leave inference mode inside the block, without recording gradients. Other modes are unchanged."""
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False), torch.no_grad():
            yield
    else:
        yield


def plain(x: Tensor) -> Tensor:
    """Copy a tensor that was created in inference mode to an ordinary one, inside `ordinary`. Return any other unchanged."""
    return x.clone() if x.is_inference() else x


def outside_inference(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a function to run in `ordinary` mode, with its tensor arguments made `plain`."""

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with ordinary():
            given = [plain(value) if isinstance(value, Tensor) else value for value in args]
            named = {name: plain(value) if isinstance(value, Tensor) else value for name, value in kwargs.items()}
            return function(*given, **named)  # type: ignore[arg-type]

    return run


def unrecorded(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a function to run `outside_inference` and without gradients, which would keep every step of a long orbit."""
    return outside_inference(torch.no_grad()(function))


@contextmanager
def recorded() -> Iterator[None]:
    """Record gradients inside the block, regardless of the caller's mode."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def elsewhere(function: Callable[[], Result]) -> Result:
    """Run a function in a separate thread, unaffected by autograd modes and by transforms of ``torch.func``.

    Inside a transform, every new tensor belongs to that transform, and weights cannot change their dtype. Tensors that outlive
    the transform must therefore be created outside it.

    Parameters
    ----------
    function
        A function without arguments that uses no tensor of a transform.

    Returns
    -------
    object
        What the function returns.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


@outside_inference
def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient at x of the sum of a function's values."""
    return torch.func.grad(lambda x: function(x).sum())(x)


@outside_inference
def directional(function: Callable[[Tensor], Tensor], x: Tensor, direction: Tensor) -> Tensor:
    """Return the directional derivative of a function at x, by forward-mode differentiation."""
    ready()
    return torch.func.jvp(function, (x,), (direction.contiguous(),))[1].to(x.dtype)  # torch turns scalars into float64


@cache
def ready() -> None:
    """Make torch load its forward mode once, and suppress the warning about its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
