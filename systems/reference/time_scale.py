"""How fast a flow changes, and how large its coordinates are, from its Jacobian: whatever the units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import directional

Map = Callable[[Tensor], Tensor]


def jacobian(f: Map, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D D"]:
    """Return df_i/dz_j of each orbit, one direction at a time, so that f need not know about vmap."""
    basis = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return torch.stack([directional(f, z, e.expand_as(z)) for e in basis], dim=-1)


def known_jacobian(f: Map, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D D"]:
    """Return the Jacobian, zero where it is not finite, and throughout for a function that torch cannot differentiate."""
    try:
        with torch.no_grad():
            matrix = jacobian(f, z.detach()).detach()
    except (RuntimeError, NotImplementedError):
        return z.detach().new_zeros(*z.shape, z.shape[-1])
    finite = torch.isfinite(matrix).flatten(-2).all(-1)[..., None, None]
    return torch.where(finite, matrix, 0.0)


def fastest_rate(matrix: Float[Tensor, "*batch D D"], damping: bool = True) -> Float[Tensor, "*batch"]:
    """Return the largest modulus of a Jacobian's eigenvalues, in units of 1/time: no other unit changes it.

    damping: whether the decay of a damped motion counts; implicit methods need not resolve it.
    """
    values = torch.linalg.eigvals(matrix.detach().cpu().double())
    size = values.abs() if damping else torch.hypot(values.real.clamp(min=0), values.imag)
    return size.amax(-1).to(matrix.device) if matrix.numel() else size.new_zeros(matrix.shape[:-2]).to(matrix.device)


def natural_size(
    z: Float[Tensor, "*batch D"], rate: Float[Tensor, "*batch D"], matrix: Float[Tensor, "*batch D D"]
) -> Float[Tensor, "*batch D"]:
    """Return how large each coordinate is, or becomes within some time scales of the flow.

    A coordinate that is zero at first has the size that its derivatives give it: one that stays zero has the size zero.
    """
    fastest = fastest_rate(matrix).to(z.dtype).unsqueeze(-1)
    unit = torch.where(fastest > 0, 1 / fastest, 0.0)  # nothing is known of a flow whose Jacobian is zero
    unit = torch.minimum(unit, _changed(z, rate, matrix))  # where the Jacobian happens to be nearly singular
    size, term = z.abs(), rate * unit
    for _ in range(2 * z.shape[-1]):  # by then every coordinate has heard of every other, along a chain of oscillators too
        size = torch.maximum(size, term.abs().nan_to_num(nan=0.0, posinf=0.0))
        term = unit * (matrix @ term.unsqueeze(-1)).squeeze(-1)
    return size


def _changed(
    z: Float[Tensor, "*batch D"], rate: Float[Tensor, "*batch D"], matrix: Float[Tensor, "*batch D D"]
) -> Float[Tensor, "*batch 1"]:
    """Return the time in which the slowest coordinate changes by its own size, as its first derivatives say; else infinity."""
    times, derivative = torch.full_like(z, torch.inf), rate
    for order in (1, 2, 3):
        ratio = (z.abs() / derivative.abs()) ** (1 / order)
        times = torch.where((z != 0) & (derivative != 0) & ratio.isfinite(), torch.minimum(times, ratio), times)
        derivative = (matrix @ derivative.unsqueeze(-1)).squeeze(-1)
    slowest = torch.where(times.isfinite(), times, 0.0).amax(-1, keepdim=True)
    return torch.where(slowest > 0, slowest, torch.inf)


def power_of_two(size: np.ndarray) -> np.ndarray:
    """Return a power of two near each size, by which to divide without rounding; 1 for a size of zero."""
    with np.errstate(divide="ignore"):
        exponent = np.where(size > 0, np.round(np.log2(size)), 0.0)
    return np.exp2(np.clip(exponent, -500, 500))
