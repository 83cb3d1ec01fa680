"""The Levenberg-Marquardt method for equations whose solutions need not be isolated.

Its damping is that of equations which have exact solutions: it falls with the square of the residual. A least-squares fit,
such as that of a training, leaves a residual, and has another rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from systems import IntegrationError

FIRST, EASIER, HARDER = 1e-3, 0.1, 10.0  # damping, in units of the squared residual, and its factors after a step
FLOOR = 1e-14  # smallest damping relative to the largest squared singular value; directions below its root do not move
TRIALS = 12  # of one step

Equations = Callable[[Tensor], tuple[Float[Tensor, " m"], Float[Tensor, "m n"]]]


class Solution(NamedTuple):
    """Where the iteration ended: the unknowns, the largest residual, and the number of steps."""

    x: Float[Tensor, " n"]
    residual: float
    steps: int


def solve(equations: Equations, x: Float[Tensor, " n"], tolerance: float, most: int = 60) -> Solution:
    """Solve equations F(x) = 0, whose number may differ from that of the unknowns, near a first guess.

    The damping falls with the square of the residual, with which the method converges quadratically also if the solutions are
    a curve or a surface; it then finds one near the guess.

    Parameters
    ----------
    equations
        Returns F(x) and its derivative. A point at which it raises IntegrationError is not accepted.
    x : shape ``(n,)``
        First guess.
    tolerance
        Largest residual of a solution. The iteration goes on until the residual no longer falls.
    most
        Largest number of steps.

    Returns
    -------
    Solution
        The last point; the caller compares its residual with the tolerance.

    References
    ----------
    Yamashita and Fukushima, Computing (Supplement) 15, 239 (2001).
    """
    value, slope = equations(x)
    damping, steps = FIRST, 0
    while steps < most:
        left, sizes, right = torch.linalg.svd(slope, full_matrices=False)
        aim = left.mT @ value
        before = float(value.norm())
        if before == 0.0:
            break
        for _ in range(TRIALS):
            shift = max(damping * before**2, FLOOR * float(sizes[0]) ** 2)
            trial = x - right.mT @ (sizes / (sizes.square() + shift) * aim)
            try:
                new_value, new_slope = equations(trial)
                if not (new_value.isfinite().all() and new_slope.isfinite().all()):
                    raise IntegrationError("the equations are not finite")
            except IntegrationError:
                damping *= HARDER**2
                continue
            if float(new_value.norm()) < before:
                break
            if float(value.abs().max()) <= tolerance:  # rounding is all that remains
                return Solution(x, float(value.abs().max()), steps)
            damping *= HARDER
        else:
            break
        x, value, slope = trial, new_value, new_slope
        damping, steps = damping * EASIER, steps + 1
        if float(value.abs().max()) <= tolerance and float(value.norm()) > before / 2:
            break
    return Solution(x, float(value.abs().max()), steps)
