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
    """Return the magnitude that each coordinate has now or reaches within a few time scales of the flow; see `sizes`."""
    found = sizes(*(x.detach().cpu().double().numpy() for x in (z, rate, matrix, fastest_rate(matrix))))
    return torch.from_numpy(found).to(z)


def sizes(z: np.ndarray, rate: np.ndarray, matrix: np.ndarray, fastest: np.ndarray) -> np.ndarray:
    """Return the magnitude that each coordinate has now or reaches within a few time scales of the flow.

    For a coordinate that starts at zero, the derivatives determine its size. If it stays zero, its size is zero. The arrays
    are states ``(..., D)``, their rates, the Jacobian ``(..., D, D)``, and the result of `fastest_rate` for it.
    """
    with np.errstate(all="ignore"):
        unit = np.where(fastest > 0, 1 / fastest, 0.0)[..., None]  # a zero Jacobian gives no time scale
        unit = np.minimum(unit, _changed(z, rate, matrix))  # in case the Jacobian is nearly singular
        size, term = np.abs(z), rate * unit
        for _ in range(2 * z.shape[-1]):  # enough for every coordinate to affect every other, even in a chain of oscillators
            size = np.maximum(size, np.nan_to_num(np.abs(term), nan=0.0, posinf=0.0))
            term = unit * (matrix @ term[..., None])[..., 0]
    return size


def _changed(z: np.ndarray, rate: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Estimate from derivatives the time in which the slowest coordinate changes by its own size, or return infinity."""
    times, derivative = np.full_like(z, np.inf), rate
    for order in (1, 2, 3):
        ratio = (np.abs(z) / np.abs(derivative)) ** (1 / order)
        times = np.where((z != 0) & (derivative != 0) & np.isfinite(ratio), np.minimum(times, ratio), times)
        derivative = (matrix @ derivative[..., None])[..., 0]
    slowest = np.where(np.isfinite(times), times, 0.0).max(-1, keepdims=True)
    return np.where(slowest > 0, slowest, np.inf)


def power_of_two(size: np.ndarray) -> np.ndarray:
    """Return a power of two near each size, so that dividing by it does not round. For a size of zero, it is 1."""
    with np.errstate(divide="ignore"):
        exponent = np.where(size > 0, np.round(np.log2(size)), 0.0)
    return np.exp2(np.clip(exponent, -500, 500))
