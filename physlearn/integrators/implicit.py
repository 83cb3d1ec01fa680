"""The base class of implicit methods: the tolerance, and the treatment of steps that do not converge."""

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

ROUNDING = 2.0**-20  # relative change of a state that is used to measure how its rounding errors are magnified


class Implicit(Integrator):
    """Base class of implicit methods.

    If a step is far too long, its equation may have several solutions, or one that is unrelated to the orbit. The energy error
    reveals this.

    Parameters
    ----------
    flow
        The flow to integrate.
    tolerance
        Tolerance of the solution of each step, relative to the size of each coordinate, which is the largest of its values so
        far and of its change in the step. It defaults to rounding, which is needed to conserve energy over long times.
    failure
        What to do if a step does not converge: ``"raise"`` (default) raises a ConvergenceError, and ``"nan"`` sets this
        orbit to NaN from then on and continues with the rest of the batch.
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
        """Try one step, and return the new states and for which orbits the step converged."""

    def start(self, z: Float[Tensor, "*batch D"], dt: float) -> Tensor:
        """Prepare the first step: no orbit is lost, and the sizes are those of the initial states."""
        self.size = z.detach().abs()
        self.lost = torch.zeros(z.shape[:-1], dtype=torch.bool, device=z.device)
        return z

    def step(self, t: Float[Tensor, ""], z: Float[Tensor, "*batch D"], dt: float) -> Float[Tensor, "*batch D"]:
        """Take one step; a lost orbit continues as a copy of another one, and ``state`` returns NaN for it."""
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
        # Drop the failed attempt from the graph, as it would make the gradients of all orbits NaN.
        sound = z[~self.lost][0].detach()
        self.size = torch.where(self.lost.unsqueeze(-1), self.size[~self.lost][0], self.size)
        return self.attempt(t, torch.where(self.lost.unsqueeze(-1), sound, z), dt)[0]

    def state(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the states; NaN for lost orbits."""
        return torch.where(self.lost.unsqueeze(-1), math.nan, z)

    def solved(
        self,
        increments: Callable[[Tensor, Tensor], Tensor],
        first: Float[Tensor, "*batch m"],
        z: Float[Tensor, "*batch D"],
    ) -> tuple[Float[Tensor, "*batch m"], Bool[Tensor, "*batch"]]:
        """Return the solution of ``x = increments(x, z)`` near a first guess, and for which orbits it was found.

        x consists of one or several concatenated changes of the state z.
        """
        stages = first.shape[-1] // z.shape[-1]
        change = first.detach().abs().unflatten(-1, (stages, -1)).amax(-2)
        size = torch.maximum(self.size, torch.maximum(z.detach().abs(), change))

        def noise(x: Tensor) -> Tensor:
            """Return the size of coordinates with the same rounding error as the increments, such as forces that cancel."""
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
    """Return patterns of signs: all equal in the first, and any two coordinates differ in at least one of the others."""
    index = torch.arange(z.shape[-1], device=z.device)
    bits = (index.bitwise_right_shift(k) % 2 for k in range((z.shape[-1] - 1).bit_length()))
    return [torch.ones_like(z[..., :1]), *(1 - 2 * bit.to(z.dtype) for bit in bits)]
