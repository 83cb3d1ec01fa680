"""Solving the equation of an implicit step, x = g(x), for every orbit of a batch to a tolerance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.reference.time_scale import jacobian

MOST_SWEEPS = 50
MOST_NEWTON_STEPS = 20
SLOW = 0.7  # a sweep that shrinks the change by less than this leaves the orbit to Newton
ROUNDING = 4  # machine epsilons: the default tolerance
STALLED = 1000  # machine epsilons: below this a change that no longer shrinks is rounding

Map = Callable[[Tensor], Tensor]


def solve(
    g: Map, x: Float[Tensor, "*batch m"], scale: Float[Tensor, "*batch m"], tolerance: float | None
) -> tuple[Float[Tensor, "*batch m"], Bool[Tensor, "*batch"]]:
    """Return the solution of x = g(x) near x, and for which orbits it was found.

    g acts on each orbit by itself. An orbit is done when no coordinate changes by more than ``tolerance * scale`` (by default
    by more than rounding; a change that no longer shrinks is taken for rounding up to a thousand epsilons), and is left as it
    is while the others go on: its result does not depend on its neighbours. Where fixed-point sweeps contract too slowly,
    Newton's method takes over from the first guess.

    Differentiable: the last sweeps carry the derivative to the same accuracy as the value.
    """
    epsilon = torch.finfo(x.dtype).eps
    tolerance = ROUNDING * epsilon if tolerance is None else tolerance
    stalled = max(STALLED * epsilon, tolerance)
    x, done, slow = _sweep(g, x, scale, tolerance, stalled)
    if not done.all() and slow.any():
        x, done = _newton(g, x, done, scale, tolerance, stalled)
    return x, done


def _sweep(
    g: Map, first: Tensor, scale: Tensor, tolerance: float, stalled: float
) -> tuple[Tensor, Bool[Tensor, "*batch"], Bool[Tensor, "*batch"]]:
    """Fixed-point sweeps; orbits that contract too slowly are handed back at their first guess."""
    x = first
    kept = torch.zeros(x.shape[:-1], dtype=torch.bool, device=x.device)  # done or too slow: left as they are
    slow = kept
    some_kept = False
    previous = torch.full(x.shape[:-1], torch.inf, dtype=x.dtype, device=x.device)
    for _ in range(MOST_SWEEPS):
        new = g(x)
        change = _relative(new - x, scale)
        contracting = change <= SLOW * previous
        if not some_kept and bool((contracting & (change > tolerance)).all()):  # the usual case, kept cheap
            x, previous = new, change
            continue
        x = torch.where(kept.unsqueeze(-1), x, new)
        settled = _settled(change, previous, tolerance, stalled)
        too_slow = ~(settled | kept | contracting)  # also where the change is NaN
        slow = slow | too_slow
        kept = kept | settled | too_slow
        if kept.all():
            break
        some_kept, previous = bool(kept.any()), change
    slow = slow | ~kept
    return torch.where(slow.unsqueeze(-1), first, x), ~slow, slow


def _newton(
    g: Map, x: Tensor, done: Bool[Tensor, "*batch"], scale: Tensor, tolerance: float, stalled: float
) -> tuple[Tensor, Bool[Tensor, "*batch"]]:
    """Newton's method on x - g(x) = 0 for the orbits that are not done."""
    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    previous = torch.full(x.shape[:-1], torch.inf, dtype=x.dtype, device=x.device)
    for _ in range(MOST_NEWTON_STEPS):
        matrix = identity - jacobian(g, x)
        change, _ = torch.linalg.solve_ex(matrix, (g(x) - x).unsqueeze(-1))
        x = torch.where(done.unsqueeze(-1), x, x + change.squeeze(-1))
        size = _relative(change.squeeze(-1), scale)
        done = done | _settled(size, previous, tolerance, stalled)
        if done.all():
            break
        previous = size
    return x, done


def _relative(change: Float[Tensor, "*batch m"], scale: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch"]:
    """The largest change in units of the scale; a coordinate that does not change, as one that is zero, may have none."""
    size = change.detach().abs()
    return torch.where(size == 0, size, size / scale).amax(-1)


def _settled(change: Tensor, previous: Tensor, tolerance: float, stalled: float) -> Bool[Tensor, "*batch"]:
    return (change <= tolerance) | ((change >= previous) & (change <= stalled))
