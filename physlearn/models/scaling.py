"""Standardised coordinates inside a model, physical ones outside."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


def over_batch(x: Tensor, axes: int) -> Tensor:
    """A quantity with that many axes of its own, for a whole batch: a stack of them, ``(R, ...)``, becomes ``(R, 1, ...)``."""
    return x if x.ndim == axes else x.unsqueeze(-1 - axes)


class Standard(nn.Module):
    """Maps x to (x - center) / scale, with the mean and the standard deviation of the data it was fitted to."""

    center: Tensor
    scale: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))

    def fit(self, x: Float[Tensor, "n size"]) -> None:
        """Take mean and standard deviation from the data; a constant coordinate keeps the scale 1."""
        spread = x.std(0, correction=0)
        self.center.copy_(x.mean(0))
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    def forward(self, x: Float[Tensor, "*batch size"]) -> Float[Tensor, "*batch size"]:
        """Standardise."""
        return (x - over_batch(self.center, 1)) / over_batch(self.scale, 1)

    def inverse(self, u: Float[Tensor, "*batch size"]) -> Float[Tensor, "*batch size"]:
        """Undo it."""
        return over_batch(self.center, 1) + over_batch(self.scale, 1) * u


def root_mean_square(x: Tensor) -> Tensor:
    """Over all elements; 1 for data that is zero throughout, so that it can divide."""
    rms = x.square().mean().sqrt()
    return torch.where(rms > 0, rms, 1.0)
