"""Unwrap angles along an orbit, whether they were recorded within one period or continuously."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def continuous(angle: Float[Tensor, "*batch T"], period: float) -> Float[Tensor, "*batch T"]:
    """Return angles without jumps: unwrap those within one period, and keep those that leave it, which are continuous.

    >>> continuous(torch.tensor([2.0, 3.0, -2.0]), 2 * torch.pi)
    tensor([2.0000, 3.0000, 4.2832])
    """
    low, high = angle.aminmax(dim=-1, keepdim=True)
    return torch.where(high - low <= period, unwrapped(angle, period), angle)


def unwrapped(angle: Float[Tensor, "*batch T"], period: float) -> Float[Tensor, "*batch T"]:
    """Unwrap angles, so that each step from one to the next is the shortest."""
    steps = torch.remainder(angle.diff(dim=-1) + period / 2, period) - period / 2
    return torch.cat([angle[..., :1], angle[..., :1] + steps.cumsum(-1)], dim=-1)
