"""Metrics of measured orbits, which may have holes, and times of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.metrics.match import check_coordinates, check_orbits, check_shapes
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
            check_orbits(forecast, truth)
            if forecast.shared_times and truth.shared_times and not truth.z.isnan().any():
                return metric(forecast, truth, *args, **kwargs)
            check_coordinates(forecast, truth)
            check_shapes(forecast, truth)
            batch, found = truth.shape[:-1], []
            for i, (seen, true, known) in enumerate(_pairs(forecast, truth)):
                own: dict[str, Any] = {name: _of_one(value, batch, i) for name, value in kwargs.items()}
                value = metric(seen, true, *args, **own)
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
        seen, true = one(forecast, i), one(truth, i)
        known = true.measured.any(0)
        kept = true.measured[:, known].all(-1)
        if not known.any() or not kept.any():
            raise InputError(f"orbit {i} of the truth has no time at which its coordinates were all measured; leave it out")
        yield _part(seen, kept, known), _part(true, kept, known), known


def one(orbit: Orbit, i: int) -> Orbit:
    """Return one orbit of a flattened batch, at its own times."""
    t = orbit.t if orbit.shared_times else orbit.t.flatten(0, -2)[i]
    rate = None if orbit.rate is None else orbit.rate.reshape(-1, *orbit.z.shape[-2:])[i]
    return replace(orbit, t=t, z=orbit.z.reshape(-1, *orbit.z.shape[-2:])[i], rate=rate)


def each_coordinate(orbit: Orbit) -> Iterator[Orbit]:
    """Yield each coordinate of one orbit, at the times when it was measured; NaN if it never was."""
    for place, kept in zip(torch.eye(orbit.dim, dtype=torch.bool), orbit.measured.unbind(-1), strict=True):
        yield _part(orbit, kept if kept.any() else ~kept, place)


def holes(z: Float[Tensor, "*batch T d"]) -> Bool[Tensor, "*batch T"]:
    """Return at which times a coordinate was not measured: where it is NaN, and all are measured again later.

    NaN up to the end is no hole: there an orbit broke off, as a forecast that diverges does.
    """
    lost = z.isnan().any(-1)
    return lost & ((~lost).flip(-1).cummax(-1).values.flip(-1))


def without_holes(orbit: Orbit, *coordinates: int) -> Iterator[Orbit]:
    """Yield each orbit by itself, at its own times and without the holes of some of its coordinates."""
    for i in range(orbit.shape[:-1].numel()):
        own = one(orbit, i)
        kept = ~holes(own.z[:, list(coordinates)])
        rate = None if own.rate is None else own.rate[kept]
        yield own if kept.all() else replace(own, t=own.t[kept], z=own.z[kept], rate=rate)


def _part(orbit: Orbit, kept: Bool[Tensor, " T"], known: Bool[Tensor, " D"]) -> Orbit:
    names = tuple(name for name, there in zip(orbit.coordinates, known.tolist(), strict=True) if there)
    periods = {name: period for name, period in orbit.periods.items() if name in names}
    units = {name: unit for name, unit in orbit.units.items() if name in (*names, "t")}
    z = orbit.z[kept][:, known]
    return replace(orbit, t=orbit.t[kept], z=z, rate=None, coordinates=names, periods=periods, units=units)


def _of_one(value: object, batch: torch.Size, i: int) -> object:
    """Return the value for one orbit of an argument that has one value per orbit."""
    if isinstance(value, Tensor) and value.ndim > 0 and value.shape == batch:
        return value.flatten()[i]
    return value
