"""Joining orbits: side by side as a batch, or one after another in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from systems.errors import InputError
from systems.periodic import agreed_periods

if TYPE_CHECKING:
    from systems.orbit import Orbit

    OrbitLike = TypeVar("OrbitLike", bound=Orbit)


def stacked(orbits: Sequence[OrbitLike]) -> OrbitLike:
    """Return a batch of orbits; see `Orbit.stack`."""
    first = _alike(orbits)
    if any(orbit.shape != first.shape for orbit in orbits):
        raise InputError("only orbits of the same shape can be stacked; Orbit.of(orbits) also accepts different lengths")
    equal = all(torch.equal(orbit.t, first.t) for orbit in orbits)
    times = [orbit.t.expand(orbit.shape) for orbit in orbits]
    rates = [orbit.rate for orbit in orbits if orbit.rate is not None]
    return replace(
        first,
        t=first.t if equal and first.shared_times else torch.stack(times),
        z=torch.stack([orbit.z for orbit in orbits]),
        rate=torch.stack(rates) if len(rates) == len(orbits) else None,
    )


def concatenated(orbits: Sequence[OrbitLike]) -> OrbitLike:
    """Return orbits one after another in time; see `Orbit.concatenate`."""
    first = _alike(orbits)
    if any(orbit.shape[:-1] != first.shape[:-1] for orbit in orbits):
        raise InputError("only batches of the same shape can be concatenated in time; select the orbits first")
    shared = all(orbit.shared_times for orbit in orbits)
    rates = [orbit.rate for orbit in orbits if orbit.rate is not None]
    return replace(
        first,
        t=torch.cat([orbit.t if shared else orbit.t.expand(orbit.shape) for orbit in orbits], dim=-1),
        z=torch.cat([orbit.z for orbit in orbits], dim=-2),
        rate=torch.cat(rates, dim=-2) if len(rates) == len(orbits) else None,
    )


def check_joinable(provenances: Sequence[Mapping[str, Any]]) -> None:
    """Raise InputError if provenances name several systems, or other parameters, as one orbit can have only one of them."""
    origins = [(told["system"], told.get("parameters")) for told in provenances if "system" in told]
    for origin in origins[1:]:
        if origin != origins[0]:
            raise InputError(f"orbits of {origins[0]} and of {origin} cannot be joined; keep them in a list")


def _alike(orbits: Sequence[OrbitLike]) -> OrbitLike:
    """Return the first orbit with the periods of all. Raises InputError if the orbits do not belong together."""
    if not orbits:
        raise InputError("no orbits were given; give at least one")
    if any(orbit.coordinates != orbits[0].coordinates for orbit in orbits):
        raise InputError(f"orbits must have the same coordinates, not {sorted({orbit.coordinates for orbit in orbits})}")
    if any(orbit.units != orbits[0].units for orbit in orbits):
        other = next(orbit.units for orbit in orbits if orbit.units != orbits[0].units)
        raise InputError(f"orbits in the units {orbits[0].units} and {other} cannot be joined; convert them first")
    check_joinable([orbit.provenance for orbit in orbits])
    return replace(orbits[0], periods=agreed_periods([orbit.periods for orbit in orbits]))
