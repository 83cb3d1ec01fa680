"""Standardisation: models use standardised coordinates inside and physical ones outside."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

DRIFT = 1000  # random rounding errors per sample: an integrator with a tolerance of 1e-12 conserves no better


def over_batch(x: Tensor, axes: int) -> Tensor:
    """Return a quantity that broadcasts over a batch: a stack of them, ``(R, ...)``, becomes ``(R, 1, ...)``.

    A single quantity has ``axes`` axes and is returned as it is.
    """
    return x if x.ndim == axes else x.unsqueeze(-1 - axes)


class Standard(nn.Module):
    """The map from x to (x - center) / scale, with the mean and standard deviation of the data it was fitted to."""

    center: Tensor
    scale: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))

    def fit(self, x: Float[Tensor, "n size"]) -> None:
        """Take the mean and `spread` from the data."""
        self.center.copy_(x.mean(0))
        self.scale.copy_(spread(x)[0])

    def forward(self, x: Float[Tensor, "*batch size"]) -> Float[Tensor, "*batch size"]:
        """Return the standardised values."""
        return (x - over_batch(self.center, 1)) / over_batch(self.scale, 1)

    def inverse(self, u: Float[Tensor, "*batch size"]) -> Float[Tensor, "*batch size"]:
        """Return the values whose standardised values are u."""
        return over_batch(self.center, 1) + over_batch(self.scale, 1) * u


def spread(
    x: Float[Tensor, "n size"], dtype: torch.dtype | None = None
) -> tuple[Float[Tensor, " size"], Bool[Tensor, " size"]]:
    """Return the standard deviation of each column, and which columns are constant to rounding.

    A constant column has the size of its values as its scale (1 if they are 0), so that noise in the last digits never becomes
    a scale. A column is constant to rounding if it varies by at most two units in the last place or, as quantities that an
    integrator conserves do, by ``1000 eps sqrt(n)`` of its mean in double precision.

    Parameters
    ----------
    x : shape ``(n, size)``
        One row per sample.
    dtype
        Precision of the original data, if it is lower than that of x; defaults to that of x.

    Returns
    -------
    tuple of tensors, shape ``(size,)`` each
        The scales, all positive, and a mask of the constant columns.
    """
    deviation, size = x.std(0, correction=0), x.mean(0).abs()
    constant = deviation <= rounding(len(x), dtype or x.dtype) * size
    return torch.where(constant, torch.where(size > 0, size, 1.0), deviation), constant


def rounding(n: int, dtype: torch.dtype) -> float:
    """Return the largest variation, relative to its size, of a constant over n samples of that precision."""
    return max(2 * torch.finfo(dtype).eps, DRIFT * torch.finfo(torch.float64).eps * n**0.5)


def root_mean_square(x: Tensor) -> Tensor:
    """Return the root mean square of all elements, or 1 if all are zero, so that it can be a divisor."""
    rms = x.square().mean().sqrt()
    return torch.where(rms > 0, rms, 1.0)
