"""Walk: checked arguments, and the fixed steps in which everything here follows an orbit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.integrators import Flow, Integrator, find
from systems import InputError
from systems.system import check_states

EXPLICIT = ("rk4", "leapfrog", "yoshida-4", "yoshida-6", "euler")


@dataclass(frozen=True)
class Walk:
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
    def of(cls, flow: Any, z0: Tensor, time: float, dt: float, method: str | None = None) -> Walk:
        """The walk of that time. dt is shortened until a whole number of steps makes up the time.

        method: an explicit one; by default yoshida-4 for a separable Hamiltonian, rk4 for every other flow.
        Raises InputError for wrong arguments, NotSeparableError where the method needs a separable Hamiltonian.
        """
        seen = Flow.of(flow)
        z0 = torch.as_tensor(z0)
        if not z0.is_floating_point():
            raise InputError(f"states must be floating point, not {z0.dtype}")
        coordinates = seen.coordinates or tuple(f"z{i}" for i in range(z0.shape[-1] if z0.ndim else 1))
        check_states(z0, coordinates)
        for name, value in (("time", time), ("dt", dt)):
            if not (value > 0 and isfinite(value)):
                raise InputError(f"{name} must be a positive number, not {value}")
        method = method or ("rk4" if seen.velocity is None else "yoshida-4")
        kind = find(method)
        if method not in EXPLICIT:
            raise InputError(f"{method} is no explicit method of fixed steps; take {', '.join(EXPLICIT)}")
        integrator: Integrator = kind(seen)
        z = z0.detach().reshape(-1, z0.shape[-1])
        with torch.no_grad():
            shape = seen.field(z.new_zeros(()), z).shape
        if shape != z.shape:
            raise InputError(f"{seen.name} turns states of shape {tuple(z.shape)} into rates of shape {tuple(shape)}")
        steps = max(1, ceil(time / dt - 1e-9))  # 1e-9: a time of exactly so many steps has no more for rounding's sake
        return cls(seen, z, z0.shape[:-1], coordinates, time / steps, steps, integrator.step, method)


def lost(z: Float[Tensor, "n D"], escape: float) -> Bool[Tensor, " n"]:
    """Which states are not finite, or farther out than the escape radius."""
    return ~(z.norm(dim=-1) <= escape)  # NaN is lost
