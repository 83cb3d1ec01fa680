"""Time scale of a flow and magnitude of its coordinates, estimated from its Jacobian and independent of units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import directional

Map = Callable[[Tensor], Tensor]


def jacobian(f: Map, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D D"]:
    """Return df_i/dz_j of each orbit, one direction at a time, so that f need not support vmap."""
    basis = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return torch.stack([directional(f, z, e.expand_as(z)) for e in basis], dim=-1)


def known_jacobian(f: Map, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D D"]:
    """Return the Jacobian, with zeros where it is not finite, or only zeros if torch cannot differentiate the function."""
    try:
        with torch.no_grad():
            matrix = jacobian(f, z.detach()).detach()
    except (RuntimeError, NotImplementedError):
        return z.detach().new_zeros(*z.shape, z.shape[-1])
    finite = torch.isfinite(matrix).flatten(-2).all(-1)[..., None, None]
    return torch.where(finite, matrix, 0.0)


def fastest_rate(matrix: Float[Tensor, "*batch D D"], damping: bool = True) -> Float[Tensor, "*batch"]:
    """Return the largest modulus of a Jacobian's eigenvalues, in units of 1/time.

    With ``damping`` False, decay does not count, because implicit methods need not resolve it.
    """
    values = torch.linalg.eigvals(matrix.detach().cpu().double())
    size = values.abs() if damping else torch.hypot(values.real.clamp(min=0), values.imag)
    return size.amax(-1).to(matrix.device) if matrix.numel() else size.new_zeros(matrix.shape[:-2]).to(matrix.device)


def natural_size(
    z: Float[Tensor, "*batch D"], rate: Float[Tensor, "*batch D"], matrix: Float[Tensor, "*batch D D"]
) -> Float[Tensor, "*batch D"]:
    """Return the magnitude that each coordinate has now or reaches within a few time scales of the flow.

    For a coordinate that starts at zero, the derivatives determine its size. If it stays zero, its size is zero.
    """
    fastest = fastest_rate(matrix).to(z.dtype).unsqueeze(-1)
    unit = torch.where(fastest > 0, 1 / fastest, 0.0)  # a zero Jacobian gives no time scale
    unit = torch.minimum(unit, _changed(z, rate, matrix))  # in case the Jacobian is nearly singular
    size, term = z.abs(), rate * unit
    for _ in range(2 * z.shape[-1]):  # enough for every coordinate to affect every other, even in a chain of oscillators
        size = torch.maximum(size, term.abs().nan_to_num(nan=0.0, posinf=0.0))
        term = unit * (matrix @ term.unsqueeze(-1)).squeeze(-1)
    return size


def _changed(
    z: Float[Tensor, "*batch D"], rate: Float[Tensor, "*batch D"], matrix: Float[Tensor, "*batch D D"]
) -> Float[Tensor, "*batch 1"]:
    """Estimate from derivatives the time in which the slowest coordinate changes by its own size, or return infinity."""
    times, derivative = torch.full_like(z, torch.inf), rate
    for order in (1, 2, 3):
        ratio = (z.abs() / derivative.abs()) ** (1 / order)
        times = torch.where((z != 0) & (derivative != 0) & ratio.isfinite(), torch.minimum(times, ratio), times)
        derivative = (matrix @ derivative.unsqueeze(-1)).squeeze(-1)
    slowest = torch.where(times.isfinite(), times, 0.0).amax(-1, keepdim=True)
    return torch.where(slowest > 0, slowest, torch.inf)


def power_of_two(size: np.ndarray) -> np.ndarray:
    """Return a power of two near each size, so that dividing by it does not round. For a size of zero, it is 1."""
    with np.errstate(divide="ignore"):
        exponent = np.where(size > 0, np.round(np.log2(size)), 0.0)
    return np.exp2(np.clip(exponent, -500, 500))
