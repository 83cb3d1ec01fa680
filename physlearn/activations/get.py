"""Look up activations by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from physlearn.activations import named, shipped, trained
from physlearn.activations.activation import Activation
from physlearn.activations.mixture import Mixture
from physlearn.activations.per_layer import PerLayer
from physlearn.activations.per_role import PerRole
from systems import InputError

Given: TypeAlias = "str | Activation | Sequence[Given] | Mapping[str, Given]"
"""An activation as users give it; see `get`."""


def get(name: Given) -> Activation:
    """Return the activation with the given name.

    Parameters
    ----------
    name
        Name of a function, such as ``"sine"``; of a mixture of functions, such as ``"sine+tanh"``; or of the mixture of
        types that was learned for a task and ships with the package, such as ``"learned:henon-heiles-hnn"`` (see
        `shipped.names`); or of a function that trains jointly with the weights of a network, such as
        ``"trained:combination"`` (see `physlearn.activations.trained.names`), alone or in a mixture. A list has one
        activation for each hidden layer, and a dictionary those of the networks of the ``"position"`` and the ``"momentum"``
        of the model hnn-separable. An Activation is returned unchanged.

    Returns
    -------
    Activation
        The activation. Learned activations are new tables at each call, in torch's default dtype, and trained ones are new,
        too.

    Raises
    ------
    UnknownNameError
        If there is no such name (a KeyError); the message lists the available names.
    InputError
        If ``name`` is none of these, or joins learned activations by a plus sign.

    Examples
    --------
    >>> import torch
    >>> get("ramp")(torch.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    >>> [table.points for table in get("learned:henon-heiles-hnn").types]
    [100, 100]
    """
    if isinstance(name, Activation):
        return name
    if isinstance(name, Mapping):
        return PerRole({role: get(part) for role, part in name.items()})
    if isinstance(name, list | tuple):
        return PerLayer([get(part) for part in name])
    if not isinstance(name, str):
        raise InputError(
            f"an activation must be a name or an Activation, a list of them by layer, or a dictionary by role, not a "
            f"{type(name).__name__}"
        )
    if "+" in name:
        if named.LEARNED in name:
            raise InputError(
                f"{name!r} joins mixtures, which a plus sign cannot; combine the types of activations.shipped.load(...) "
                "by a Mixture"
            )
        return Mixture([get(part) for part in name.split("+")])
    if name.startswith(named.TRAINED):
        return trained.named(name)
    if name.startswith(named.LEARNED):
        learned = shipped.load(name.removeprefix(named.LEARNED))
        activation = learned.mix if len(learned) > 1 else learned.types[0]
        return activation.to(torch.get_default_dtype())
    return named.find(name)
