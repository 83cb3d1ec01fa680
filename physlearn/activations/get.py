"""Activations by what a user writes."""

from __future__ import annotations

import torch

from physlearn.activations import named, shipped
from physlearn.activations.activation import Activation
from physlearn.activations.mixture import Mixture
from systems import InputError


def get(name: str | Activation) -> Activation:
    """The activation of that name; one that is no name is given back.

    ``"sine"`` is a function, ``"sine+tanh"`` the mixture of several, ``"learned:henon-heiles-hnn"`` that of the types which
    the package ships as learned for a task (of `shipped.names`): new tables at each call, in torch's default dtype.

    Raises UnknownNameError (a KeyError), listing the names there are, InputError for learned ones with a plus sign.

    >>> import torch
    >>> get("ramp")(torch.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    >>> [table.points for table in get("learned:henon-heiles-hnn").types]
    [100, 100]
    """
    if isinstance(name, Activation):
        return name
    if not isinstance(name, str):
        raise InputError(f"an activation is a name, or an Activation, not a {type(name).__name__}")
    if "+" in name:
        if named.LEARNED in name:
            raise InputError(f"{name!r} would mix a mixture: mix the types of activations.shipped.load(...) by a Mixture")
        return Mixture([named.find(part) for part in name.split("+")])
    if name.startswith(named.LEARNED):
        learned = shipped.load(name.removeprefix(named.LEARNED))
        activation = learned.mix if len(learned) > 1 else learned.types[0]
        return activation.to(torch.get_default_dtype())
    return named.find(name)
