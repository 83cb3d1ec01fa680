"""Integrator: what every method is, and the loop that the fixed-step ones share."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.flow import Flow
from systems.reference import standing


class Integrator(ABC):
    """A method bound to a flow. A subclass checks in its constructor that the flow offers what the method needs.

    A fixed-step method gives ``step``. One that carries more than the state from step to step (a second copy, say) gives
    ``start`` and ``state`` too, and what it has to tell about a run goes into ``report``.
    """

    name: ClassVar[str]
    order: ClassVar[int]
    symplectic: ClassVar[bool]

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.report: dict[str, Any] = {}

    def start(self, z: Float[Tensor, "*batch D"], dt: float) -> Tensor:
        """What the first step takes."""
        return z

    def step(self, t: Float[Tensor, ""], z: Tensor, dt: float) -> Tensor:
        """One step of length dt (negative to go back in time) from time t."""
        raise NotImplementedError

    def state(self, z: Tensor) -> Float[Tensor, "*batch D"]:
        """The state in what ``step`` gives."""
        return z

    def solve(
        self, z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"], substeps: int, progress: bool
    ) -> Float[Tensor, "*batch T D"]:
        """The states at the times t, with ``substeps`` equal steps from each to the next."""
        if z0.numel() == 0:
            return standing(z0, t)
        times = t.to(torch.float64)
        lengths = (times.diff() / substeps).tolist()
        carried = self.start(z0, lengths[0] if lengths else 1.0)
        states = [z0]
        for start, dt in zip(tqdm(times[:-1].tolist(), disable=not progress, desc=self.name), lengths, strict=True):
            for k in range(substeps):
                carried = self.step(z0.new_tensor(start + k * dt), carried, dt)
            states.append(self.state(carried))
        return torch.stack(states).movedim(0, -2)  # each state in one piece: faster than interleaving them
