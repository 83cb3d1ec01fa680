"""Solve the equation of an implicit step, x = g(x), to a tolerance for every orbit of a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.reference.time_scale import jacobian

MOST_SWEEPS = 50
MOST_NEWTON_STEPS = 20
SLOW = 0.7  # if a sweep reduces the change by less than this factor, Newton's method takes over
ROUNDING = 4  # default tolerance in machine epsilons
STALLED = 1000  # a change below this many machine epsilons that no longer shrinks is due to rounding

Map = Callable[[Tensor], Tensor]


def solve(
    g: Map, x: Float[Tensor, "*batch m"], scale: Float[Tensor, "*batch m"], tolerance: float | None
) -> tuple[Float[Tensor, "*batch m"], Bool[Tensor, "*batch"]]:
    """Return the solution of x = g(x) near x, and for which orbits it was found.

    g acts on each orbit separately. An orbit has converged when no coordinate changes by more than ``tolerance * scale``. By
    default the tolerance is rounding, where a change of up to a thousand epsilons that no longer shrinks counts as rounding. A
    converged orbit is not changed while the others continue, so that its result does not depend on the rest of the batch.
    If fixed-point sweeps contract too slowly, Newton's method takes over from the first guess.

    The solution is differentiable: the last sweeps give the derivative the same accuracy as the value.
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
    """Take fixed-point sweeps; orbits that contract too slowly are returned at their first guess."""
    x = first
    kept = torch.zeros(x.shape[:-1], dtype=torch.bool, device=x.device)  # done or too slow, and no longer changed
    slow = kept
    some_kept = False
    previous = torch.full(x.shape[:-1], torch.inf, dtype=x.dtype, device=x.device)
    for _ in range(MOST_SWEEPS):
        new = g(x)
        change = _relative(new - x, scale)
        contracting = change <= SLOW * previous
        if not some_kept and bool((contracting & (change > tolerance)).all()):  # a fast path for the usual case
            x, previous = new, change
            continue
        x = torch.where(kept.unsqueeze(-1), x, new)
        settled = _settled(change, previous, tolerance, stalled)
        too_slow = ~(settled | kept | contracting)  # True also if the change is NaN
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
    """Apply Newton's method to x - g(x) = 0 for the orbits that have not converged."""
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
    """Return the largest change in units of the scale, which may be zero for a coordinate that does not change."""
    size = change.detach().abs()
    return torch.where(size == 0, size, size / scale).amax(-1)


def _settled(change: Tensor, previous: Tensor, tolerance: float, stalled: float) -> Bool[Tensor, "*batch"]:
    return (change <= tolerance) | ((change >= previous) & (change <= stalled))
