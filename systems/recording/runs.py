"""Runs of a measurement, each with its own times, and their union as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError

if TYPE_CHECKING:
    from systems.orbit import Orbit


@dataclass(frozen=True)
class Run:
    """One run of a measurement.

    Parameters
    ----------
    t : shape ``(T,)``
        Times.
    z : shape ``(T, D)``
        States, NaN where a coordinate was not measured.
    rate : shape ``(T, D)``, optional
        dz/dt.
    """

    t: Float[Tensor, " T"]
    z: Float[Tensor, "T D"]
    rate: Float[Tensor, "T D"] | None = None


def of_orbit(orbit: Orbit) -> list[Run]:
    """Return the orbits of a batch as runs, without the times at which nothing was measured."""
    return [Run(one.t, one.z, one.rate) for one in orbit.separate()]


def joined(runs: Sequence[Run]) -> dict[str, Tensor | None]:
    """Return the times, states and rates of several runs as a batch.

    The times are shared if they are equal. Otherwise each run has its own, and shorter ones are filled up with NaN, at times
    that continue with the run's last step. Raises InputError if the runs have different numbers of coordinates.
    """
    if len(dims := sorted({run.z.shape[-1] for run in runs})) > 1:
        raise InputError(f"all runs must have the same coordinates, but some have {dims[0]} and others {dims[-1]}")
    longest = max(len(run.t) for run in runs)
    equal = all(torch.equal(run.t, runs[0].t) for run in runs)
    known = all(run.rate is not None for run in runs)
    rates = [_filled_up(run.rate, longest) for run in runs if run.rate is not None]
    return {
        "t": runs[0].t if equal else torch.stack([continued(run.t, longest) for run in runs]),
        "z": torch.stack([_filled_up(run.z, longest) for run in runs]),
        "rate": torch.stack(rates) if known else None,
    }


def continued(t: Float[Tensor, " T"], length: int) -> Float[Tensor, " length"]:
    """Return times that go on with the last step."""
    step = t[-1] - t[-2] if len(t) > 1 else torch.ones_like(t[0])
    more = torch.arange(1, length - len(t) + 1, dtype=t.dtype, device=t.device)
    return torch.cat([t, t[-1] + more * step])


def _filled_up(z: Float[Tensor, "T D"], length: int) -> Float[Tensor, "length D"]:
    """Return states that are followed by NaN."""
    return torch.cat([z, z.new_full((length - len(z), z.shape[-1]), torch.nan)])


def tensor(values: np.ndarray) -> Tensor:
    """Return numbers as a tensor in float64, or in the precision that they have."""
    kept = values.dtype in (np.float32, np.float64)
    return torch.from_numpy(np.array(values, dtype=values.dtype if kept else np.float64, order="C"))
