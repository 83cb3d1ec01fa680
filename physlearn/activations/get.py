"""Activations by what a user writes."""

from __future__ import annotations

from physlearn.activations import named
from physlearn.activations.activation import Activation
from physlearn.activations.mixture import Mixture
from systems import InputError


def get(name: str | Activation) -> Activation:
    """The activation of that name, ``"sine"``, or the mixture of several, ``"sine+tanh"``; any other is given back.

    Raises UnknownNameError (a KeyError), listing the names there are.

    >>> import torch
    >>> get("ramp")(torch.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if isinstance(name, Activation):
        return name
    if not isinstance(name, str):
        raise InputError(f"an activation is a name, or an Activation, not a {type(name).__name__}")
    if "+" in name:
        return Mixture([named.find(part) for part in name.split("+")])
    return named.find(name)
