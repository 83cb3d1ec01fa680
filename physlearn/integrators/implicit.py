"""What implicit methods share: a tolerance, and what becomes of an orbit whose step has no solution."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators import fixed_point
from physlearn.integrators.errors import ConvergenceError
from physlearn.integrators.integrator import Integrator
from systems import InputError


class Implicit(Integrator):
    """An implicit method.

    tolerance: of the solution of each step, relative to 1 + the size of the state; rounding by default, which long energy
    conservation needs. failure: ``"raise"`` a ConvergenceError where a step has no solution, or go on with ``"nan"`` for
    that orbit from there on, so that the rest of a batch is not lost.
    """

    def __init__(self, flow: Flow, tolerance: float | None = None, failure: Literal["raise", "nan"] = "raise") -> None:
        super().__init__(flow)
        if tolerance is not None and not tolerance > 0:
            raise InputError(f"tolerance must be positive, not {tolerance}")
        if failure not in ("raise", "nan"):
            raise InputError(f"failure must be 'raise' or 'nan', not {failure!r}")
        self.tolerance = tolerance
        self.failure = failure

    def solve_step(
        self, g: fixed_point.Map, x: Float[Tensor, "*batch m"], z: Float[Tensor, "*batch D"], t: Tensor
    ) -> Float[Tensor, "*batch m"]:
        """The solution of x = g(x), in units of the state z."""
        scale = 1 + z.detach().abs().amax(-1)
        x, done = fixed_point.solve(g, x, scale, self.tolerance)
        if done.all():
            return x
        lost = ~done & torch.isfinite(scale)
        if self.failure == "raise":
            index = tuple(int(i) for i in (~done).nonzero()[0])
            raise ConvergenceError(self.name, index, float(t))
        if lost.any():
            self.report["not_converged"] = self.report.get("not_converged", 0) + int(lost.sum())
        return torch.where(done.unsqueeze(-1), x, math.nan)
