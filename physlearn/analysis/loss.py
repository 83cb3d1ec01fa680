"""A loss as a function of the weights of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from systems import InputError

M = TypeVar("M", bound=nn.Module)
Loss = Callable[[M], Tensor]


class LossOfWeights:
    """The loss of a model as a function of a vector ``(n,)`` of weights; the model itself is not changed.

    The weights are the parameters that require a gradient, in the order of ``named_parameters()``, each flattened; all
    others are constants. Raises InputError if the model has no weights, and in a call if the loss is not one finite number.
    """

    def __init__(self, model: M, loss_of_model: Loss[M]) -> None:
        self._parameters = {f"model.{name}": p for name, p in model.named_parameters() if p.requires_grad}
        if not self._parameters:
            raise InputError("the model has no parameters that require a gradient; at least one is needed to differentiate by")
        self._loss = _Held(model, loss_of_model)

    def here(self) -> Float[Tensor, " n"]:
        """Return a copy of the weights of the model."""
        return torch.cat([parameter.detach().flatten() for parameter in self._parameters.values()])

    def __call__(self, weights: Float[Tensor, " n"]) -> Float[Tensor, ""]:
        """Return the loss, which is differentiable with respect to the weights as often as loss_of_model is."""
        parts = weights.split([parameter.numel() for parameter in self._parameters.values()])
        shaped = {name: part.view(p.shape) for (name, p), part in zip(self._parameters.items(), parts, strict=True)}
        loss = torch.func.functional_call(self._loss, shaped, ())
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.isfinite().all():
            raise InputError(f"loss_of_model must return one finite number, not {loss}")
        return loss.reshape(())

    def elements(self, weights: Float[Tensor, " n"]) -> int:
        """Return the number of elements of the largest tensor that is stored for the derivatives."""
        largest = len(weights)

        def keep(x: Tensor) -> Tensor:
            nonlocal largest
            largest = max(largest, x.numel())
            return x

        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            self(weights.clone().requires_grad_())
        return largest


class _Held(nn.Module):
    """The loss as a module that contains the model, so that torch can call it with other weights."""

    def __init__(self, model: nn.Module, loss_of_model: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model = model
        self._loss_of_model = loss_of_model

    def forward(self) -> Tensor:
        return self._loss_of_model(self.model)
