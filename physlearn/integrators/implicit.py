"""What implicit methods share: a tolerance, and what becomes of an orbit whose step has no solution."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Literal

import torch
from jaxtyping import Bool, Float
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

    The equation of a step that is far too long may have a solution that has nothing to do with the orbit, or several; the
    energy error tells.
    """

    lost: Bool[Tensor, "*batch"]

    def __init__(self, flow: Flow, tolerance: float | None = None, failure: Literal["raise", "nan"] = "raise") -> None:
        super().__init__(flow)
        if tolerance is not None and not tolerance > 0:
            raise InputError(f"tolerance must be positive, not {tolerance}")
        if failure not in ("raise", "nan"):
            raise InputError(f"failure must be 'raise' or 'nan', not {failure!r}")
        self.tolerance = tolerance
        self.failure = failure

    @abstractmethod
    def attempt(
        self, t: Float[Tensor, ""], z: Float[Tensor, "*batch D"], dt: float
    ) -> tuple[Float[Tensor, "*batch D"], Bool[Tensor, "*batch"]]:
        """One step, and for which orbits it was found."""

    def start(self, z: Float[Tensor, "*batch D"], dt: float) -> Tensor:
        """No orbit is lost yet."""
        self.lost = torch.zeros(z.shape[:-1], dtype=torch.bool, device=z.device)
        return z

    def step(self, t: Float[Tensor, ""], z: Float[Tensor, "*batch D"], dt: float) -> Float[Tensor, "*batch D"]:
        """One step; an orbit that is lost is carried on as a copy of one that is not, and told by ``state``."""
        new, done = self.attempt(t, z, dt)
        if done.all():
            return new
        if self.failure == "raise":
            raise ConvergenceError(self.name, tuple(int(i) for i in (~done).nonzero()[0]), float(t))
        self.lost = self.lost | ~done
        self.report["not_converged"] = int(self.lost.sum())
        if self.lost.all():
            return z
        # Without a trace of the failed attempt, which would make the gradients of all orbits NaN.
        sound = z[~self.lost][0].detach()
        return self.attempt(t, torch.where(self.lost.unsqueeze(-1), sound, z), dt)[0]

    def state(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """The states, NaN where the orbit is lost."""
        return torch.where(self.lost.unsqueeze(-1), math.nan, z)

    def solved(
        self, g: fixed_point.Map, x: Float[Tensor, "*batch m"], z: Float[Tensor, "*batch D"]
    ) -> tuple[Float[Tensor, "*batch m"], Bool[Tensor, "*batch"]]:
        """The solution of x = g(x), in units of the state z, and for which orbits it was found."""
        return fixed_point.solve(g, x, 1 + z.detach().abs().amax(-1), self.tolerance)
