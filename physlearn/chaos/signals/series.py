"""Measured series and orbits as arrays, for what needs no equations."""

from __future__ import annotations

from math import inf

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit
from systems.floats import floats


def scalar_series(data: Orbit | Tensor | object, coordinate: str | int | None) -> Float[np.ndarray, "*batch N"]:
    """Return a coordinate of orbits, or series; raise InputError for gaps and angles, or if no coordinate is named."""
    if isinstance(data, Orbit):
        if coordinate is None and data.dim > 1:
            raise InputError(f"an orbit has several coordinates; name one of {', '.join(data.coordinates)} as coordinate")
        axis = data.index(0 if coordinate is None else coordinate)
        name = data.coordinates[axis]
        if name in data.periods:
            raise InputError(
                f"{name} is an angle, which jumps; give a smooth function of it, such as orbit.z[..., {axis}].sin()"
            )
        values = data.z[..., axis]
    else:
        if coordinate is not None:
            raise InputError("only an orbit has coordinates; leave coordinate out for a series")
        values = floats(data, "the series")
    _check(values, values.shape[-1] if values.ndim else 0)
    return array(values)


def states(data: Orbit | Tensor | object) -> tuple[Float[np.ndarray, "N D"], Float[np.ndarray, " D"]]:
    """Return the states of one orbit or series, and the period of each coordinate; raise InputError for gaps or a batch."""
    values = data.z if isinstance(data, Orbit) else floats(data, "the series")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise InputError(
            f"one orbit (N, D) or series (N,) is needed, not states of shape {tuple(values.shape)}; take one at a time"
        )
    _check(values, len(values))
    periods = (
        [data.periods.get(name, inf) for name in data.coordinates] if isinstance(data, Orbit) else [inf] * values.shape[1]
    )
    return array(values), np.array(periods)


def array(values: Tensor) -> Float[np.ndarray, "..."]:
    """Return a tensor as an array in float64."""
    return np.asarray(values.detach().cpu().double().numpy())


def _check(values: Tensor, length: int) -> None:
    if length < 2:
        raise InputError(f"a series needs at least 2 values, not {length}")
    if missing := int((~torch.isfinite(values)).sum()):
        raise InputError(f"{missing} values are NaN or infinite; fill the gaps, or give a stretch without any")
