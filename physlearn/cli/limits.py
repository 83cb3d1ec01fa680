"""What commands ask for, against what this machine has: refused before anything is computed or written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from physlearn.flow import Flow
from systems import System
from systems.maps import Map
from systems.size import check_memory, check_steps

if TYPE_CHECKING:
    from physlearn.forecasting.simulated import Protocol

KEPT = 4  # arrays of the size of an orbit: states, rates, what the solver holds, a copy
LARGE = 10**300  # a larger whole number cannot be formatted as one with a point
TOO_LARGE = "this needs more memory than there is: ask for fewer or shorter orbits, or for smaller networks"


def check_orbits(orbits: int, time: float, dt: float, dim: int) -> None:
    """Raise InputError for orbits whose states do not fit in memory.

    Parameters
    ----------
    orbits, dim
        How many, and how many coordinates each has.
    time, dt
        Duration and time between two states, in the same unit.
    """
    steps = time / dt if 0 < dt < math.inf else math.nan
    check_steps(steps, f"time {time:g} in steps of {dt:g}")
    check_memory(KEPT * max(orbits, 0) * (steps + 1) * dim, f"{orbits:g} orbits of {steps:g} states")


def check_run(orbits: int, time: float, dt: float, dim: int) -> None:
    """Raise InputError for a run that keeps no states on its way, but is too long, or of too many orbits."""
    check_steps(time / dt if 0 < dt < math.inf else math.nan, f"time {time:g} in steps of {dt:g}")
    check_memory(KEPT * max(orbits, 0) * dim * (dim + 1), f"{orbits:g} orbits with their tangent vectors")


def check_chaos(flow: System | Map, z0: Tensor, time: float | None, dt: float | None) -> None:
    """Raise InputError for orbits that take too many steps of the length that the functions of `physlearn.chaos` choose."""
    from physlearn.chaos.time_scale import STEP, time_scale  # slow to import

    if time is None or not time > 0:
        return  # they choose it, or refuse it
    z = z0.reshape(-1, z0.shape[-1])
    if dt is None:
        dt = 1.0 if isinstance(flow, Map) else STEP * time_scale(Flow.of(flow), z)
    check_run(len(z), time, dt, z.shape[-1])


def check_protocol(protocol: Protocol, dim: int, contenders: int) -> None:
    """Raise InputError for data or forecasts that do not fit in memory."""
    data = protocol.training_orbits + protocol.validation_orbits
    check_memory(KEPT * data * protocol.samples * dim, f"{data:g} orbits to learn from, of {protocol.samples:g} states each,")
    check_orbits(protocol.test_orbits * max(contenders, 1), protocol.time, protocol.dt, dim)


def check_duration(system: System, z0: Tensor, time: float) -> None:
    """Raise InputError for a time that is longer than can be waited for, by the rates of the states at its start.

    An adaptive solver takes at least one step while states change by their own size.
    """
    with torch.no_grad():
        changes = (system.vector_field(0.0, z0).norm(dim=-1) / z0.norm(dim=-1)).nan_to_num(0, 0, 0)
    rate = float(changes.median()) if changes.numel() else 0.0
    check_steps(rate * time, f"time {time:g}, in which a state changes about {rate * time:.3g} times by its own size,")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is Python's or torch's for memory that it cannot have."""
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
