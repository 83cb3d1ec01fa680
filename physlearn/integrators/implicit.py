"""What implicit methods share: a tolerance, and what becomes of an orbit whose step has no solution."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators import fixed_point
from physlearn.integrators.errors import ConvergenceError
from physlearn.integrators.integrator import Integrator
from systems import InputError

ROUNDING = 2.0**-20  # relative change of a state that shows how its rounding would be magnified


class Implicit(Integrator):
    """An implicit method.

    tolerance: of the solution of each step, relative to the size of each coordinate, which is the largest of its values so
    far and of its change in the step; rounding by default, which long energy conservation needs. failure: ``"raise"`` a
    ConvergenceError where a step has no solution, or go on with ``"nan"`` for that orbit from there on, so that the rest of a
    batch is not lost.

    The equation of a step that is far too long may have a solution that has nothing to do with the orbit, or several; the
    energy error tells.
    """

    damping = False
    lost: Bool[Tensor, "*batch"]
    size: Float[Tensor, "*batch D"]

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
        """No orbit is lost yet, and the coordinates are as large as they are."""
        self.size = z.detach().abs()
        self.lost = torch.zeros(z.shape[:-1], dtype=torch.bool, device=z.device)
        return z

    def step(self, t: Float[Tensor, ""], z: Float[Tensor, "*batch D"], dt: float) -> Float[Tensor, "*batch D"]:
        """One step; an orbit that is lost is carried on as a copy of one that is not, and told by ``state``."""
        new, done = self.attempt(t, z, dt)
        if done.all():
            return new
        if self.failure == "raise":
            now = float(t) if self.now is None else self.now
            raise ConvergenceError(self.name, tuple(int(i) for i in (~done).nonzero()[0]), now)
        self.lost = self.lost | ~done
        self.report["not_converged"] = int(self.lost.sum())
        if self.lost.all():
            return z
        # Without a trace of the failed attempt, which would make the gradients of all orbits NaN.
        sound = z[~self.lost][0].detach()
        self.size = torch.where(self.lost.unsqueeze(-1), self.size[~self.lost][0], self.size)
        return self.attempt(t, torch.where(self.lost.unsqueeze(-1), sound, z), dt)[0]

    def state(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """The states, NaN where the orbit is lost."""
        return torch.where(self.lost.unsqueeze(-1), math.nan, z)

    def solved(
        self,
        increments: Callable[[Tensor, Tensor], Tensor],
        first: Float[Tensor, "*batch m"],
        z: Float[Tensor, "*batch D"],
    ) -> tuple[Float[Tensor, "*batch m"], Bool[Tensor, "*batch"]]:
        """Return the solution of ``x = increments(x, z)`` near a first guess, and for which orbits it was found.

        x is made of one or several changes of the state z, side by side.
        """
        stages = first.shape[-1] // z.shape[-1]
        change = first.detach().abs().unflatten(-1, (stages, -1)).amax(-2)
        size = torch.maximum(self.size, torch.maximum(z.detach().abs(), change))

        def noise(x: Tensor) -> Tensor:
            """How large the coordinates are from whose rounding the increments have theirs, as forces that nearly cancel."""
            moved = [increments(x, z * (1 + ROUNDING * signs)) for signs in _signs(z)]
            apart = torch.stack([(y - increments(x, z)).detach().abs() for y in moved]).amax(0)
            return apart.unflatten(-1, (stages, -1)).amax(-2).nan_to_num(0.0, 0.0) / ROUNDING

        def solved(size: Tensor) -> tuple[Tensor, Tensor]:
            scale = torch.cat([size] * stages, dim=-1)
            return fixed_point.solve(lambda x: increments(x, z), first, scale, self.tolerance)

        x, done = solved(size)
        if not done.all() and bool(((larger := torch.maximum(size, noise(first))) > size)[~done].any()):
            again, then = solved(larger)
            x = torch.where(done.unsqueeze(-1), x, again)
            size = torch.where(done.unsqueeze(-1), size, larger)
            done = done | then
        self.size = size
        return x, done


def _signs(z: Tensor) -> list[Tensor]:
    """Patterns of signs: in one all are alike, and any two coordinates differ in one of the others."""
    index = torch.arange(z.shape[-1], device=z.device)
    bits = (index.bitwise_right_shift(k) % 2 for k in range((z.shape[-1] - 1).bit_length()))
    return [torch.ones_like(z[..., :1]), *(1 - 2 * bit.to(z.dtype) for bit in bits)]
