"""Initial states: boxes, annuli, and the microcanonical ensemble."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.errors import InputError

Bounds = Sequence[tuple[float, float]]


def check_count(n: int) -> None:
    """Raise InputError for a number of states below one."""
    if n < 1:
        raise InputError(f"the number of initial states must be at least 1, not {n}")


def generator(n: int, seed: int) -> torch.Generator:
    """The random numbers of a seed, for n states. Raises InputError for a count below one."""
    check_count(n)
    return torch.Generator().manual_seed(seed)


def box(n: int, bounds: Bounds, seed: int) -> Float[Tensor, "n D"]:
    """Uniform in a box, bounds giving (low, high) of each coordinate."""
    low, high = torch.tensor(bounds, dtype=torch.float64).T
    return low + (high - low) * torch.rand(n, len(bounds), generator=generator(n, seed), dtype=torch.float64)


def annulus(n: int, inner: float, outer: float, seed: int) -> Float[Tensor, "n 2"]:
    """Uniform over the area of a plane annulus around the origin."""
    if not 0 <= inner < outer:
        raise InputError(f"an annulus needs 0 <= inner < outer radius, not {inner} and {outer}")
    radius, angle = torch.rand(2, n, generator=generator(n, seed), dtype=torch.float64)
    radius = (inner**2 + (outer**2 - inner**2) * radius).sqrt()
    angle = 2 * math.pi * angle
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)


def microcanonical(
    energy: Float[Tensor, " n"],
    potential: Callable[[Tensor], Tensor],
    inside: Callable[[Tensor], Bool[Tensor, " n"]],
    bounds: Bounds,
    seed: int,
) -> Float[Tensor, "n 4"]:
    """States of two degrees of freedom with H = p^2/2 + V(q), uniform over each energy surface.

    In two dimensions the Liouville measure on the surface is uniform in q over the allowed region V(q) < E, and uniform in
    the direction of p. ``bounds`` is a box around the allowed region, ``inside`` tells the well from regions beyond it
    that have V < E too.
    """
    n = len(energy)
    random = generator(n, seed)
    low, high = torch.tensor(bounds, dtype=torch.float64).T
    q = torch.empty(n, 2, dtype=torch.float64)
    missing = torch.arange(n)
    while len(missing):
        trial = low + (high - low) * torch.rand(len(missing), 2, generator=random, dtype=torch.float64)
        accepted = inside(trial) & (potential(trial) < energy[missing])
        q[missing[accepted]] = trial[accepted]
        missing = missing[~accepted]
    speed = (2 * (energy - potential(q))).sqrt()
    angle = 2 * math.pi * torch.rand(n, generator=random, dtype=torch.float64)
    return torch.stack([q[:, 0], q[:, 1], speed * angle.cos(), speed * angle.sin()], dim=-1)
