"""Orbits at times of their own: what integrates many orbits over common times does so for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TypeVar

import torch
from torch import Tensor

from systems.errors import InputError
from systems.orbit import Orbit

Function = TypeVar("Function", bound=Callable[..., Orbit])


def at_own_times(function: Function) -> Function:
    """Let a function ``(flow, z0, t, ...)`` that returns orbits accept times ``(..., T)``, one row per state: a decorator.

    Orbits with equal times are integrated together. The provenance is that of the first.
    """

    @wraps(function)
    def call(flow: object, z0: Tensor, t: Tensor, *args: object, **kwargs: object) -> Orbit:
        nested = isinstance(t, list | tuple) and len(t) > 0 and isinstance(t[0], list | tuple)
        if not nested and getattr(t, "ndim", 1) < 2:
            return function(flow, z0, t, *args, **kwargs)
        times, states = torch.as_tensor(t), torch.as_tensor(z0)
        if times.shape[:-1] != states.shape[:-1]:
            raise InputError(
                f"times of shape {tuple(times.shape)} need one row for each of the states of shape {tuple(states.shape)}"
            )
        rows, flat = times.reshape(-1, times.shape[-1]), states.reshape(-1, states.shape[-1])
        if not len(rows):
            return function(flow, states, rows.new_zeros(1), *args, **kwargs)
        lists, which = torch.unique(rows, dim=0, return_inverse=True)
        z: Tensor | None = None
        rate: Tensor | None = None
        first: Orbit | None = None
        for number, own in enumerate(lists):
            mine = which == number
            found = function(flow, flat[mine], own, *args, **kwargs)
            if z is None:
                first, z = found, found.z.new_empty(len(rows), *found.z.shape[1:])
                rate = None if found.rate is None else torch.empty_like(z)
            z[mine] = found.z
            if rate is not None and found.rate is not None:
                rate[mine] = found.rate
        assert first is not None
        assert z is not None
        shape = (*states.shape[:-1], *z.shape[1:])
        kept = times.to(first.t)
        return replace(first, t=kept, z=z.reshape(shape), rate=None if rate is None else rate.reshape(shape))

    return call  # type: ignore[return-value]
