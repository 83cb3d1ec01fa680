"""Rollout: checked arguments, and the fixed steps in which everything here follows an orbit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, inf, isfinite

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.time_scale import STEP, time_scale
from physlearn.flow import FlowLike
from physlearn.integrators import Flow, Integrator, find
from systems import InputError
from systems.states import check_states

EXPLICIT = ("rk4", "leapfrog", "yoshida-4", "yoshida-6", "euler")


@dataclass(frozen=True)
class Rollout:
    """``steps`` steps of length dt from the states z, ``(n, D)``: the flattened ``batch`` of what was given."""

    flow: Flow
    z: Float[Tensor, "n D"]
    batch: torch.Size
    coordinates: tuple[str, ...]
    dt: float
    steps: int
    step: Callable[[Tensor, Tensor, float], Tensor]
    method: str

    @classmethod
    def of(
        cls,
        flow: FlowLike,
        z0: Tensor,
        time: float | None,
        dt: float | None = None,
        method: str | None = None,
        *,
        scales: float = 1000.0,
        step: float = STEP,
    ) -> Rollout:
        """Check the arguments and prepare the steps.

        Parameters
        ----------
        flow, z0
            What moves the states, and the states ``(..., D)``.
        time
            How long; by default ``scales`` time scales of the flow (`physlearn.chaos.time_scale.time_scale`).
        dt
            Step, shortened until a whole number of steps makes up the time; by default ``step`` time scales.
        method
            An explicit integrator; by default yoshida-4 for a separable Hamiltonian, rk4 for every other flow.

        Raises
        ------
        InputError
            For wrong arguments.
        NotSeparableError
            Where the method needs a separable Hamiltonian.
        """
        seen = Flow.of(flow)
        z0 = torch.as_tensor(z0)
        if not z0.is_floating_point():
            raise InputError(f"states must be floating point, not {z0.dtype}")
        coordinates = seen.coordinates or tuple(f"z{i}" for i in range(z0.shape[-1] if z0.ndim else 1))
        check_states(z0, coordinates)
        for name, value in (("time", time), ("dt", dt)):
            if value is not None and not (value > 0 and isfinite(value)):
                raise InputError(f"{name} must be a positive number, not {value}")
        method = method or ("rk4" if seen.velocity is None else "yoshida-4")
        kind = find(method)
        if method not in EXPLICIT:
            raise InputError(f"{method} is no explicit method of fixed steps; take {', '.join(EXPLICIT)}")
        integrator: Integrator = kind(seen)
        z = z0.detach().clone().reshape(-1, z0.shape[-1])  # a clone, since a tensor of inference mode has no derivatives
        with torch.no_grad():
            shape = seen.field(z.new_zeros(()), z).shape
        if shape != z.shape:
            raise InputError(f"{seen.name} turns states of shape {tuple(z.shape)} into rates of shape {tuple(shape)}")
        scale = time_scale(seen, z) if time is None or dt is None else 1.0
        time = scales * scale if time is None else time
        dt = step * scale if dt is None else dt
        steps = max(1, ceil(time / dt - 1e-9))  # 1e-9: a time of exactly so many steps has no more for rounding's sake
        return cls(seen, z, z0.shape[:-1], coordinates, time / steps, steps, integrator.step, method)

    @property
    def time(self) -> float:
        """How long the rollout is."""
        return self.steps * self.dt

    @property
    def turning(self) -> tuple[float, ...]:
        """The period of each coordinate; infinite for one that is no angle."""
        return tuple(self.flow.periods.get(name, inf) for name in self.coordinates)

    def finer(self, halvings: int) -> Rollout:
        """The same rollout in steps that are halved so many times."""
        return replace(self, dt=self.dt / 2**halvings, steps=self.steps * 2**halvings)

    def among(self, rows: Tensor) -> Rollout:
        """The same rollout from some of its states."""
        return replace(self, z=self.z[rows])
