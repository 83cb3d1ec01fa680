"""Metrics of measured orbits, which may have holes, and times of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import torch
from jaxtyping import Bool
from torch import Tensor

from physlearn.metrics.match import check_coordinates, check_shapes
from systems import InputError, Orbit

Arguments = ParamSpec("Arguments")
Metric = Callable[Concatenate[Orbit, Orbit, Arguments], Tensor]


def of_what_was_measured(*, components: bool = False) -> Callable[[Metric[Arguments]], Metric[Arguments]]:
    """Let a metric of a forecast and the truth accept truths with NaN, and orbits with times of their own: a decorator.

    Times at which a coordinate was not measured do not count. A coordinate that was never measured does not count at all, and
    has NaN if the metric has one value per component.

    Parameters
    ----------
    components
        Whether the last axis of the result has one value per coordinate.
    """

    def decorate(metric: Metric[Arguments]) -> Metric[Arguments]:
        @wraps(metric)
        def call(forecast: Orbit, truth: Orbit, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Tensor:
            if forecast.shared_times and truth.shared_times and not truth.z.isnan().any():
                return metric(forecast, truth, *args, **kwargs)
            check_coordinates(forecast, truth)
            check_shapes(forecast, truth)
            batch, found = truth.shape[:-1], []
            for i, (one, other, known) in enumerate(_pairs(forecast, truth)):
                own: dict[str, Any] = {name: _of_one(value, batch, i) for name, value in kwargs.items()}
                value = metric(one, other, *args, **own)
                if components:
                    wide = value.new_full((*value.shape[:-1], truth.dim), torch.nan)
                    wide[..., known] = value
                    value = wide
                found.append(value)
            return torch.stack(found).reshape((*batch, *found[0].shape))

        return call

    return decorate


def _pairs(forecast: Orbit, truth: Orbit) -> Iterator[tuple[Orbit, Orbit, Bool[Tensor, " D"]]]:
    """Yield each orbit of the forecast and the truth, where the truth is known, and which coordinates were ever measured."""
    for i in range(truth.shape[:-1].numel()):
        seen, true = _one(forecast, i), _one(truth, i)
        known = true.measured.any(0)
        kept = true.measured[:, known].all(-1)
        if not known.any() or not kept.any():
            raise InputError(f"orbit {i} of the truth has no time at which its coordinates were all measured; leave it out")
        yield _part(seen, kept, known), _part(true, kept, known), known


def _one(orbit: Orbit, i: int) -> Orbit:
    t = orbit.t if orbit.shared_times else orbit.t.flatten(0, -2)[i]
    return replace(orbit, t=t, z=orbit.z.reshape(-1, *orbit.z.shape[-2:])[i], rate=None)


def _part(orbit: Orbit, kept: Bool[Tensor, " T"], known: Bool[Tensor, " D"]) -> Orbit:
    names = tuple(name for name, there in zip(orbit.coordinates, known.tolist(), strict=True) if there)
    periods = {name: period for name, period in orbit.periods.items() if name in names}
    units = {name: unit for name, unit in orbit.units.items() if name in (*names, "t")}
    return replace(orbit, t=orbit.t[kept], z=orbit.z[kept][:, known], coordinates=names, periods=periods, units=units)


def _of_one(value: object, batch: torch.Size, i: int) -> object:
    """Return the value for one orbit of an argument that has one value per orbit."""
    if isinstance(value, Tensor) and value.ndim > 0 and value.shape == batch:
        return value.flatten()[i]
    return value
