"""The participation ratio, a measure of the number of dimensions of the activities of a layer."""

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
    r"""Return the participation ratio, the effective number of dimensions of the activities of a layer.

    .. math:: \mathcal R = \frac{(\operatorname{tr} C)^2}{\operatorname{tr} C^2}
        = \frac{\bigl(\sum_n \lambda_n\bigr)^2}{\sum_n \lambda_n^2}

    C is the covariance of the N neurons over the samples, with the eigenvalues :math:`\lambda_n`; its normalisation does not
    matter. R is 1 if all neurons vary together, and N if they vary independently with equal variance. It does not exceed the
    number of samples minus one. The traces are computed from the smaller of the two Gram matrices, in float64, without
    eigenvalues.

    Parameters
    ----------
    activities : shape ``(..., samples, neurons)``
        Activities of the neurons.
    normalized
        Whether to return r = R / N instead.

    Returns
    -------
    Tensor, shape ``(...)``
        Participation ratios; NaN if no activity varies, or some are not finite.

    Raises
    ------
    InputError
        If the activities are not floats ``(..., samples, neurons)``.

    References
    ----------
    Equation 7 of the paper; Gao et al., bioRxiv 214262 (2017).

    Examples
    --------
    >>> three_of_five = torch.eye(5, dtype=torch.float64)[:3].repeat(2, 1) * torch.tensor([[1.0]] * 3 + [[-1.0]] * 3)
    >>> participation_ratio(three_of_five), participation_ratio(three_of_five, normalized=True)
    (tensor(3., dtype=torch.float64), tensor(0.6000, dtype=torch.float64))
    """
    activities = torch.as_tensor(activities)
    if activities.ndim < 2 or 0 in activities.shape[-2:] or not activities.is_floating_point():
        raise InputError(
            f"activities must be floats (..., samples, neurons), not {activities.dtype} {tuple(activities.shape)}"
        )
    x = activities.detach().double()
    x = x - x[..., :1, :]  # so that constant activities are exactly zero
    x = x - x.mean(-2, keepdim=True)
    x = x / x.abs().amax((-2, -1), keepdim=True)  # so that fourth powers neither overflow nor underflow; 0 / 0 is NaN
    samples, neurons = x.shape[-2:]
    gram = x.mT @ x if neurons <= samples else x @ x.mT
    ratio = gram.diagonal(dim1=-2, dim2=-1).sum(-1).square() / gram.square().sum((-2, -1))
    return (ratio / neurons if normalized else ratio).to(activities.dtype)


def activities(model: nn.Module, x: Tensor, layer: int | str = 0) -> Float[Tensor, "*batch neurons"]:
    """Return the activities of the neurons of a layer for given inputs.

    The model is neither trained nor changed.

    Parameters
    ----------
    model
        The model.
    x
        Inputs of the model; arrays and lists are cast to the dtype of its weights. ``(R, samples, D)`` for a stack of R
        models.
    layer
        Index of a hidden layer. If the model has several fully connected networks, such as those of T(p) and V(q), the
        neurons of this layer of all of them are concatenated; for each network, its first call counts. Alternatively, the
        name of any part of any module, as in ``named_modules()``, whose output is returned.

    Returns
    -------
    Tensor, shape ``(..., samples, neurons)``
        Activities.

    Raises
    ------
    InputError
        If there is no such layer or part.

    Examples
    --------
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
            f"{type(model).__name__} has no fully connected network with numbered layers; name the part whose output to "
            "return, as in named_modules()"
        )
    hidden = min(len(network.layers) for network in networks) - 1
    if not 0 <= layer < hidden:
        raise InputError(f"there is no hidden layer {layer}; choose one from 0 to {hidden - 1}")
    before = _answers(model, [network.layers[layer] for network in networks], x)
    with torch.no_grad():
        values = [network.layer_activations[layer].value(a) for network, a in zip(networks, before, strict=True)]
        return torch.cat(values, dim=-1)


def _part(model: nn.Module, name: str) -> nn.Module:
    parts = dict(model.named_modules())
    if name not in parts:
        raise InputError(
            f"{type(model).__name__} has no part {name!r}; choose from {', '.join(part for part in parts if part)}"
        )
    return parts[name]


def _answers(model: nn.Module, parts: list[nn.Module], x: Tensor) -> list[Tensor]:
    """Return the first output of each part when the model is called on x."""
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
        raise InputError(f"{type(model).__name__} does not call this part in its own call; choose another part")
    return [found[part] for part in parts]
