"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from systems import InputError, UnknownNameError

Activation = Callable[[Tensor], Tensor]

_registered: dict[str, Activation] = {
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "identity": lambda x: x,
    "ramp": lambda x: x.clamp(-1, 1),
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "silu": torch.nn.functional.silu,
    "sine": torch.sin,
    "softplus": torch.nn.functional.softplus,
    "square": torch.square,
    "tanh": torch.tanh,
    "zero": torch.zeros_like,
}


def names() -> list[str]:
    """The names of all activations, sorted."""
    return sorted(_registered)


def get(name: str) -> Activation:
    """The elementwise function of that name. Raises UnknownNameError (a KeyError), listing the names there are.

    >>> get("ramp")(torch.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if name not in _registered:
        raise UnknownNameError(f"no activation {name!r}; there are {', '.join(names())}")
    return _registered[name]


def register(name: str, function: Activation) -> None:
    """Make an elementwise, twice differentiable function available by name. Raises InputError for a name that is taken."""
    if name in _registered:
        raise InputError(f"the activation name {name!r} is taken")
    _registered[name] = function
