"""Activation functions by name, each with its first and second derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import torch
from torch import Tensor
from torch.func import grad
from torch.nn import functional as F  # noqa: N812 - its usual name

from systems import InputError, UnknownNameError

Elementwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Activation:
    """An elementwise function with its derivatives. The derivatives are differentiable themselves, as training needs."""

    name: str
    value: Elementwise
    first: Elementwise
    second: Elementwise

    def __call__(self, x: Tensor) -> Tensor:
        """The function's value."""
        return self.value(x)


def derivative(function: Elementwise) -> Elementwise:
    """The derivative of an elementwise function, by automatic differentiation."""
    return grad(lambda x: function(x).sum())


_registered: dict[str, Activation] = {}


def names() -> list[str]:
    """The names of all activations, sorted."""
    return sorted(_registered)


def get(name: str) -> Activation:
    """The activation of that name. Raises UnknownNameError (a KeyError), listing the names there are.

    >>> get("ramp")(torch.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if name not in _registered:
        raise UnknownNameError(f"no activation {name!r}; there are {', '.join(names())}")
    return _registered[name]


def register(name: str, value: Elementwise, first: Elementwise | None = None, second: Elementwise | None = None) -> Activation:
    """Make an elementwise function available by name; derivatives that are not given come from automatic differentiation.

    Raises InputError for a name that is taken.
    """
    if name in _registered:
        raise InputError(f"the activation name {name!r} is taken")
    first = first or derivative(value)
    _registered[name] = Activation(name, value, first, second or derivative(first))
    return _registered[name]


def _density(x: Tensor) -> Tensor:
    """Of the standard normal distribution."""
    return (-x.square() / 2).exp() / sqrt(2 * pi)


def _sigmoid_first(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 - s)


def _sigmoid_second(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 - s) * (1 - 2 * s)


def _silu_first(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 + x * (1 - s))


def _silu_second(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 - s) * (2 + x * (1 - 2 * s))


def _tanh_second(x: Tensor) -> Tensor:
    t = x.tanh()
    return -2 * t * (1 - t.square())


register("elu", F.elu, lambda x: x.clamp(max=0).exp(), lambda x: (x < 0) * x.clamp(max=0).exp())
register("gelu", F.gelu, lambda x: torch.special.ndtr(x) + x * _density(x), lambda x: _density(x) * (2 - x.square()))
register("identity", lambda x: x, torch.ones_like, torch.zeros_like)
register("ramp", lambda x: x.clamp(-1, 1), lambda x: (x.abs() < 1).to(x.dtype), torch.zeros_like)
register("relu", torch.relu, lambda x: (x > 0).to(x.dtype), torch.zeros_like)
register("sigmoid", torch.sigmoid, _sigmoid_first, _sigmoid_second)
register("silu", F.silu, _silu_first, _silu_second)
register("sine", torch.sin, torch.cos, lambda x: -x.sin())
register("softplus", F.softplus, torch.sigmoid, _sigmoid_first)
register("square", torch.square, lambda x: 2 * x, lambda x: torch.full_like(x, 2))
register("tanh", torch.tanh, lambda x: 1 - x.tanh().square(), _tanh_second)
register("zero", torch.zeros_like, torch.zeros_like, torch.zeros_like)
