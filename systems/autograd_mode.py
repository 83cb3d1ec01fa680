"""Derivatives that do not depend on the caller's autograd mode.

In ``torch.inference_mode()`` torch records nothing, so that some of its versions return zero for a derivative, without a
word. What differentiates leaves that mode for as long as it needs to; its results are ordinary tensors.
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
    """Leave inference mode inside the block, where gradients are then not recorded; in any other mode, change nothing."""
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False), torch.no_grad():
            yield
    else:
        yield


def plain(x: Tensor) -> Tensor:
    """Return a tensor made in inference mode as an ordinary one (a copy), and any other as it is; call it in `ordinary`."""
    return x.clone() if x.is_inference() else x


def outside_inference(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run a function in `ordinary` mode, with the tensors among its arguments made `plain`: a decorator."""

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with ordinary():
            given = [plain(value) if isinstance(value, Tensor) else value for value in args]
            named = {name: plain(value) if isinstance(value, Tensor) else value for name, value in kwargs.items()}
            return function(*given, **named)  # type: ignore[arg-type]

    return run


def unrecorded(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run a function `outside_inference`, and without recording gradients, in which long orbits would keep every step."""
    return outside_inference(torch.no_grad()(function))


@contextmanager
def recorded() -> Iterator[None]:
    """Record gradients inside the block, whatever the caller's mode is."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def elsewhere(function: Callable[[], Result]) -> Result:
    """Run a function in a thread of its own, which neither autograd modes nor transforms of ``torch.func`` reach.

    Inside of a transform, every new tensor belongs to it, and weights cannot change their dtype. What is made to be kept is
    made elsewhere.

    Parameters
    ----------
    function
        A function without arguments, of which none of the tensors is inside of a transform.

    Returns
    -------
    What the function returns.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


@outside_inference
def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient at x of the sum of what a function returns there."""
    return torch.func.grad(lambda x: function(x).sum())(x)


@outside_inference
def directional(function: Callable[[Tensor], Tensor], x: Tensor, direction: Tensor) -> Tensor:
    """Return the derivative of a function at x in a direction, by forward mode."""
    ready()
    return torch.func.jvp(function, (x,), (direction.contiguous(),))[1].to(x.dtype)  # of single numbers, torch makes float64


@cache
def ready() -> None:
    """Have torch load what forward mode needs, once and without the warning that it gives about its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
