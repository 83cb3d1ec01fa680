"""The base class of all methods, with the loop that fixed-step methods share."""

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

# Approximate number of steps per run whose initial states are stored to estimate the error, and the number of states among
# them. An orbit may be fast for a small part of its time, as a comet is near the sun, so that few orbits have many samples.
FEWEST_SAMPLES, MOST_SAMPLES, SAMPLED_STATES = 48, 1024, 4096


def samples_of(orbits: int) -> int:
    """Return the number of steps that are sampled for a number of orbits."""
    return max(FEWEST_SAMPLES, min(MOST_SAMPLES, SAMPLED_STATES // max(orbits, 1)))


class Sample(NamedTuple):
    """The start of one step of a run: its time (modulo the flow's period), its length, and the states."""

    t: float
    dt: float
    z: Float[Tensor, "*batch D"]


class Integrator(ABC):
    """Base class of integrators: a method bound to a flow.

    The constructor of a subclass checks that the flow has the form that the method needs. A fixed-step method implements
    ``step``. A method that carries more than the state from step to step, such as a second copy, also implements ``start`` and
    ``state``. It may put information about a run into ``report``. After ``solve``, ``samples`` holds some of the steps taken.
    The class attributes declare the method's properties: ``adaptive`` if it chooses its own steps, ``symmetric`` if a step of
    -dt exactly undoes a step of dt, ``damping`` if its steps must be short compared with the decay of damped motion.

    Parameters
    ----------
    flow
        The flow to integrate.
    """

    name: ClassVar[str]
    order: ClassVar[int]
    symplectic: ClassVar[bool]
    symmetric: ClassVar[bool] = False
    adaptive: ClassVar[bool] = False
    damping: ClassVar[bool] = True

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.report: dict[str, Any] = {}
        self.samples: list[Sample] = []
        self.now: float | None = None  # the time of the present step, not reduced by the flow's period

    def start(self, z: Float[Tensor, "*batch D"], dt: float) -> Tensor:
        """Return the value that is passed to the first step.

        Parameters
        ----------
        z : shape ``(..., D)``
            Initial states.
        dt
            Length of the first step.

        Returns
        -------
        Tensor
            The states, unless a method carries more from step to step.
        """
        return z

    def step(self, t: Float[Tensor, ""], z: Tensor, dt: float) -> Tensor:
        """Take one step.

        Parameters
        ----------
        t
            Time at the start of the step, in float64 for any dtype of the states.
        z
            The value returned by ``start`` or by the previous step.
        dt
            Length of the step; negative to integrate backwards in time.

        Returns
        -------
        Tensor
            The value after the step.
        """
        raise NotImplementedError

    def state(self, z: Tensor) -> Float[Tensor, "*batch D"]:
        """Return the states contained in the value returned by ``step``.

        Parameters
        ----------
        z
            The value returned by ``start`` or ``step``.

        Returns
        -------
        Tensor, shape ``(..., D)``
            The states.
        """
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
            Times. Steps are counted from the first time, so that large times do not make them inexact.
        substeps
            Number of equal steps from each time to the next: one number for all, or a list of T - 1.
        progress
            Whether to show a progress bar.

        Returns
        -------
        Tensor, shape ``(..., T, D)``
            States, starting with z0.
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
        apart = max(1, sum(counts) // samples_of(z0.numel() // z0.shape[-1]))
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
        return torch.stack(states).movedim(0, -2)  # contiguous states: faster than interleaving them
