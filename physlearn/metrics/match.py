"""Whether two orbits can be compared, and how far apart their states are."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit
from systems.periodic import shortest

FRACTION = 1e-3  # of a step, by which times may differ: the state moves that little meanwhile
ULPS = 4  # by which the same times differ that were computed in two ways, say by linspace and by multiples of a step


def check_match(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both have the same coordinates, periods, times and shape, and the truth is finite.

    Times match where each differs by at most a thousandth of the smallest step, beyond the rounding of their types.
    """
    check_coordinates(forecast, truth)
    if forecast.shape != truth.shape:
        raise InputError(f"the forecast has the shape {tuple(forecast.shape)}, the truth {tuple(truth.shape)}")
    check_times(forecast, truth)
    check_truth(truth)


def check_coordinates(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both orbits have the same coordinates, and no coordinate has two different periods."""
    if forecast.coordinates != truth.coordinates:
        raise InputError(f"the forecast has the coordinates {forecast.coordinates}, the truth {truth.coordinates}")
    for name in forecast.periods.keys() & truth.periods.keys():
        given, true = forecast.periods[name], truth.periods[name]
        if not isclose(given, true, rel_tol=1e-6):
            raise InputError(f"{name} has the period {given:g} in the forecast and {true:g} in the truth; give both the same")


def check_times(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both orbits have the same times, to a fraction of a step."""
    given, true = (orbit.t.detach().cpu().double() for orbit in (forecast, truth))
    if len(given) != len(true):
        raise InputError(f"forecast and truth are given at different times: {len(given)} and {len(true)} of them")
    apart = (given - true).abs()
    allowed = slack(truth.t) + rounding(forecast.t)
    if (apart > allowed).any():
        i = int((apart - allowed).argmax())
        raise InputError(
            f"forecast and truth are given at different times: t[{i}] = {float(given[i]):.17g} in the forecast and "
            f"{float(true[i]):.17g} in the truth; compare them at the same times"
        )


def check_truth(truth: Orbit) -> None:
    """Raise InputError unless all states of the truth are finite."""
    if not torch.isfinite(truth.z).all():
        raise InputError("the truth holds states that are not finite numbers: nothing can be held against it")


def slack(t: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """Return by how much each time may be off: the rounding of its type, and a thousandth of the smallest step."""
    steps = t.detach().cpu().double().diff().abs()
    return rounding(t) + FRACTION * (float(steps.min()) if len(steps) else 0.0)


def rounding(t: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """Return what a few roundings in the type of the times make of each of them, on the CPU in float64."""
    return ULPS * torch.finfo(t.dtype).eps * t.detach().cpu().double().abs()


def common_periods(forecast: Orbit, truth: Orbit) -> Mapping[str, float]:
    """Return the periods of the coordinates that either orbit declares an angle."""
    return {**forecast.periods, **truth.periods}


def differences(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch T D"]:
    """Return forecast - truth in float64, of angles the shortest way round. Raises InputError for orbits that do not match."""
    check_match(forecast, truth)
    difference = forecast.z.double() - truth.z.double()
    return shortest(difference, common_periods(forecast, truth), truth.coordinates)
