"""Integrator: what every method is, and the loop that the fixed-step ones share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.flow import Flow
from systems.floats import takes_arrays
from systems.reference.solvers import standing

SAMPLES = 48  # steps of a run whose first states are kept, to estimate its error by


class Sample(NamedTuple):
    """The beginning of one of the steps of a run: its time (modulo the flow's period), its length, the states."""

    t: float
    dt: float
    z: Float[Tensor, "*batch D"]


class Integrator(ABC):
    """A method bound to a flow. A subclass checks in its constructor that the flow offers what the method needs.

    A fixed-step method gives ``step``. One that carries more than the state from step to step (a second copy, say) gives
    ``start`` and ``state`` too, and what it has to tell about a run goes into ``report``. ``samples`` are some of the steps
    that ``solve`` took. A method that chooses its own steps says that it is ``adaptive``, and one whose step of -dt undoes a
    step of dt exactly says that it is ``symmetric``.
    """

    name: ClassVar[str]
    order: ClassVar[int]
    symplectic: ClassVar[bool]
    symmetric: ClassVar[bool] = False  # whether a step back undoes a step forward exactly
    adaptive: ClassVar[bool] = False
    damping: ClassVar[bool] = True  # whether steps must be short beside the time in which a damped motion decays

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.report: dict[str, Any] = {}
        self.samples: list[Sample] = []
        self.now: float | None = None  # the time of the present step, not reduced by the flow's period

    def start(self, z: Float[Tensor, "*batch D"], dt: float) -> Tensor:
        """What the first step takes."""
        return z

    def step(self, t: Float[Tensor, ""], z: Tensor, dt: float) -> Tensor:
        """One step of length dt (negative to go back in time) from time t, which is in float64 whatever the states are."""
        raise NotImplementedError

    def state(self, z: Tensor) -> Float[Tensor, "*batch D"]:
        """The state in what ``step`` gives."""
        return z

    @takes_arrays("z0", "t")
    def solve(
        self, z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"], substeps: int | Sequence[int], progress: bool
    ) -> Float[Tensor, "*batch T D"]:
        """Return the states at the times t.

        Parameters
        ----------
        z0 : shape ``(..., D)``
            States at ``t[0]``.
        t : shape ``(T,)``
            Times. Steps count from the first one, so that they are exact however large the times are.
        substeps
            Number of equal steps from each time to the next: one for all, or a list of T - 1.
        progress
            Whether to show a progress bar.

        Returns
        -------
        Tensor, shape ``(..., T, D)``
            States, the first of them z0.
        """
        if z0.numel() == 0:
            return standing(z0, t)
        times, period = t.to(torch.float64), self.flow.period
        first = float(times[0])
        clock = first if period is None else first % period
        since, gaps = (times - times[0]).tolist(), times.diff().tolist()
        counts = [substeps] * len(gaps) if isinstance(substeps, int) else list(substeps)
        carried = self.start(z0, gaps[0] / counts[0] if gaps else 1.0)
        states = [z0]
        apart = max(1, sum(counts) // SAMPLES)
        taken = 0
        for begin, gap, n in zip(
            tqdm(since[:-1], disable=not progress, desc=self.name, delay=1, leave=False), gaps, counts, strict=True
        ):
            dt = gap / n
            for k in range(n):
                elapsed = begin + k * dt
                self.now = first + elapsed
                now = clock + elapsed if period is None else (clock + elapsed) % period
                if taken % apart == 0:
                    self.samples.append(Sample(now, dt, self.state(carried).detach()))
                carried = self.step(torch.tensor(now, dtype=torch.float64, device=z0.device), carried, dt)
                taken += 1
            states.append(self.state(carried))
        return torch.stack(states).movedim(0, -2)  # each state in one piece: faster than interleaving them
