"""Check whether two orbits can be compared, and compute the differences between their states."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit
from systems.periodic import shortest
from systems.units_of_data import agreed_units

FRACTION = 1e-3  # part of a step by which times may differ; the state hardly changes within it
EVEN = 1e-6  # part of a step by which equal steps may differ, beside the rounding of the times
COARSE = 0.1  # part of a step that rounding may not reach, as the steps would be unknown
ULPS = 4  # rounding differences between equal times that were computed in two ways, such as by linspace and by multiples


def check_match(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both have the same coordinates, periods, times and shape, and the truth is finite.

    Times match if they differ by at most a thousandth of the smallest step, plus the rounding of their dtypes.
    """
    check_coordinates(forecast, truth)
    check_shapes(forecast, truth)
    check_times(forecast, truth)
    check_truth(truth)


def check_shapes(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both have the same number of orbits and of times."""
    if forecast.shape != truth.shape:
        raise InputError(
            f"the forecast has the shape {tuple(forecast.shape)} and the truth {tuple(truth.shape)}; both must be equal"
        )


def check_orbits(*given: object) -> None:
    """Raise InputError unless all are orbits, which have times."""
    for one in given:
        if not isinstance(one, Orbit):
            raise InputError(
                f"a metric needs orbits, which have times, not a {type(one).__name__}; make one with systems.Orbit(t, z)"
            )


def check_flow(orbit: Orbit, flow: object) -> None:
    """Raise InputError if an orbit's coordinates have names, and other ones than those of a flow, or in another order."""
    names = tuple(getattr(flow, "coordinates", ()))
    unnamed = orbit.coordinates == tuple(f"z{i}" for i in range(orbit.dim))
    if names and not unnamed and orbit.coordinates != names:
        raise InputError(
            f"the orbit has the coordinates {', '.join(orbit.coordinates)}, but the flow has {', '.join(names)}; "
            "both must be the same and in the same order"
        )


def check_coordinates(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both orbits have the same coordinates, and no coordinate has two different periods or units."""
    check_orbits(forecast, truth)
    if forecast.coordinates != truth.coordinates:
        raise InputError(
            f"the forecast has the coordinates {forecast.coordinates} and the truth {truth.coordinates}; both must be the same"
        )
    for name in forecast.periods.keys() & truth.periods.keys():
        given, true = forecast.periods[name], truth.periods[name]
        if not isclose(given, true, rel_tol=1e-6):
            raise InputError(f"{name} has the period {given:g} in the forecast and {true:g} in the truth; give both the same")
    agreed_units([forecast.units, truth.units])


def check_times(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both orbits have the same times, to within a fraction of a step."""
    given, true = (orbit.common_times.detach().cpu().double() for orbit in (forecast, truth))
    if len(given) != len(true):
        raise InputError(f"forecast and truth have different times ({len(given)} and {len(true)}); give both at equal times")
    apart = (given - true).abs()
    allowed = slack(truth.t) + rounding(forecast.t)
    if (apart > allowed).any():
        i = int((apart - allowed).argmax())
        raise InputError(
            f"forecast and truth have different times: t[{i}] is {float(given[i]):.17g} in the forecast and "
            f"{float(true[i]):.17g} in the truth; compare them at the same times"
        )


def check_truth(truth: Orbit) -> None:
    """Raise InputError unless all states of the truth are finite."""
    if not torch.isfinite(truth.z).all():
        raise InputError("the truth has states that are not finite; compare with an orbit that is measured throughout")


def slack(t: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """Return the tolerance of each time: the rounding of its dtype plus a thousandth of the smallest step."""
    steps = t.detach().cpu().double().diff().abs()
    return rounding(t) + FRACTION * (float(steps.min()) if len(steps) else 0.0)


def rounding(t: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch T"]:
    """Return the error of a few roundings of each time in its dtype, on the CPU in float64."""
    return ULPS * torch.finfo(t.dtype).eps * t.detach().cpu().double().abs()


def evenly_spaced(*times: Float[Tensor, "*batch T"]) -> bool:
    """Return whether all steps of lists of times are equal, to within a millionth of a step and the rounding of the times."""
    steps = torch.cat([t.detach().cpu().double().diff().reshape(-1) for t in times])
    if len(steps) == 0:
        return True
    longest = float(steps.abs().max())
    allowed = EVEN * longest + max(float(rounding(t).max()) for t in times)
    return float(steps.max() - steps.min()) <= min(allowed, COARSE * longest)


def common_periods(forecast: Orbit, truth: Orbit) -> Mapping[str, float]:
    """Return the periods of the coordinates that either orbit declares as angles."""
    return {**forecast.periods, **truth.periods}


def differences(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch T D"]:
    """Return forecast - truth in float64, the shortest difference for angles; raise InputError if the orbits do not match."""
    check_match(forecast, truth)
    difference = forecast.z.double() - truth.z.double()
    return shortest(difference, common_periods(forecast, truth), truth.coordinates)
