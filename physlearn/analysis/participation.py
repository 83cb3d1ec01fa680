"""The participation ratio: over how many dimensions the activities of a layer are spread."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.network import Network
from systems import InputError
from systems.floats import floats, takes_arrays


@takes_arrays("activities")
def participation_ratio(
    activities: Float[Tensor, "*batch samples neurons"], normalized: bool = False
) -> Float[Tensor, "*batch"]:
    r"""The number of dimensions that take part in the activities of a layer, from 1 to the number of neurons N.

    .. math:: \mathcal R = \frac{(\operatorname{tr} C)^2}{\operatorname{tr} C^2}
        = \frac{\bigl(\sum_n \lambda_n\bigr)^2}{\sum_n \lambda_n^2}

    C is the covariance of the neurons over the samples, its eigenvalues are :math:`\lambda_n`; whether it is divided by the
    number of samples or by one less does not matter. R is 1 where all neurons move together, N where they vary alike and
    independently, and no more than the number of samples less one. normalized: give r = R / N instead. NaN where no activity
    varies, or some are not finite. The traces are those of the smaller of the two Gram matrices, in float64: no eigenvalues
    are needed.

    Raises InputError for activities that are not floats ``(..., samples, neurons)``.
    Source: the paper's equation 7; Gao et al., bioRxiv 214262 (2017).

    >>> three_of_five = torch.eye(5, dtype=torch.float64)[:3].repeat(2, 1) * torch.tensor([[1.0]] * 3 + [[-1.0]] * 3)
    >>> participation_ratio(three_of_five), participation_ratio(three_of_five, normalized=True)
    (tensor(3., dtype=torch.float64), tensor(0.6000, dtype=torch.float64))
    """
    activities = torch.as_tensor(activities)
    if activities.ndim < 2 or 0 in activities.shape[-2:] or not activities.is_floating_point():
        raise InputError(f"activities are floats (..., samples, neurons), not {activities.dtype} {tuple(activities.shape)}")
    x = activities.detach().double()
    x = x - x[..., :1, :]  # what does not vary is then exactly zero
    x = x - x.mean(-2, keepdim=True)
    x = x / x.abs().amax((-2, -1), keepdim=True)  # fourth powers neither overflow nor vanish; 0 / 0 is NaN
    samples, neurons = x.shape[-2:]
    gram = x.mT @ x if neurons <= samples else x @ x.mT
    ratio = gram.diagonal(dim1=-2, dim2=-1).sum(-1).square() / gram.square().sum((-2, -1))
    return (ratio / neurons if normalized else ratio).to(activities.dtype)


def activities(model: nn.Module, x: Tensor, layer: int | str = 0) -> Float[Tensor, "*batch neurons"]:
    """What the neurons of a layer answer to inputs, ``(..., samples, neurons)``.

    x: what the model takes, of the dtype of its weights (arrays and lists are cast to it); for a stack of models
    ``(R, samples, D)``. layer: the number of a hidden layer in every fully connected network of the model, whose neurons then
    stand side by side, as those of T(p) and V(q); what a network answers when it is called for the first time counts. Or the
    name of any part of any module, as of
    ``named_modules()``, whose output counts. The model is neither trained nor changed.

    Raises InputError for a layer or a part that there is not.

    >>> from physlearn import models
    >>> activities(models.build("hnn", dim=4), torch.randn(50, 4)).shape
    torch.Size([50, 100])
    """
    if not isinstance(x, Tensor):
        x = floats(x, "inputs", like=next(model.parameters(), None))
    if isinstance(layer, str):
        return _answers(model, [_part(model, layer)], x)[0]
    networks = [part for part in model.modules() if isinstance(part, Network)]
    if not networks:
        raise InputError(
            f"{type(model).__name__} has no fully connected network whose layers have numbers: name the part whose output is "
            "meant, as of named_modules()"
        )
    hidden = min(len(network.layers) for network in networks) - 1
    if not 0 <= layer < hidden:
        raise InputError(f"there is no hidden layer {layer}: they count from 0 to {hidden - 1}")
    before = _answers(model, [network.layers[layer] for network in networks], x)
    with torch.no_grad():
        return torch.cat([network.activation.value(a) for network, a in zip(networks, before, strict=True)], dim=-1)


def _part(model: nn.Module, name: str) -> nn.Module:
    parts = dict(model.named_modules())
    if name not in parts:
        raise InputError(f"{type(model).__name__} has no part {name!r}; there are {', '.join(part for part in parts if part)}")
    return parts[name]


def _answers(model: nn.Module, parts: list[nn.Module], x: Tensor) -> list[Tensor]:
    """The first output of each part while the model works on x."""
    found: dict[nn.Module, Tensor] = {}

    def keep(part: nn.Module, _: object, answer: Tensor) -> None:
        found.setdefault(part, answer)

    hooks = [part.register_forward_hook(keep) for part in parts]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    if len(found) < len(set(parts)):
        raise InputError(f"{type(model).__name__} does not call that part when it is called itself")
    return [found[part] for part in parts]
