"""Velocities of measured positions, as further coordinates of an orbit; see `systems.Orbit.with_velocities`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from systems.errors import InputError
from systems.recording.degrees_of_freedom import usual_rates
from systems.recording.unwrapping import continued

if TYPE_CHECKING:
    from systems.orbit import Orbit

DERIVED = "derived"  # where the provenance has the position of each derived velocity


def content(orbit: Orbit, of: str | Sequence[str] | None, names: str | Sequence[str] | None) -> dict[str, Any]:
    """Return the arguments with which to create the orbit with velocities. Raises InputError."""
    from systems.recording.smoothing import smooth  # importing SciPy and numba is slow

    positions = _chosen(orbit, of)
    velocities = _named(orbit, positions, names)
    runs = orbit.z.detach().cpu().double().reshape(-1, *orbit.z.shape[-2:]).numpy()
    times = orbit.t.detach().cpu().double().expand(orbit.shape).reshape(-1, orbit.shape[-1]).numpy()
    found = np.full((*runs.shape[:2], len(positions)), np.nan)
    for column, i in enumerate(positions):
        if orbit.rate is not None:
            found[..., column] = orbit.rate[..., i].detach().cpu().double().reshape(runs.shape[:2]).numpy()
            continue
        period = orbit.periods.get(orbit.coordinates[i], np.inf)
        x = [continued(run[:, [i]], np.array([period]))[:, 0] for run in runs]
        enough = [k for k, one in enumerate(x) if np.isfinite(one).sum() >= 2]
        if not enough:
            raise InputError(
                f"the velocity of {orbit.coordinates[i]} needs a run with at least two measured values, but there is none"
            )
        for k, one in zip(enough, smooth([(times[k], x[k]) for k in enough]), strict=True):
            found[k, :, column] = np.where(np.isfinite(x[k]), one.values[1], np.nan)
    v = torch.from_numpy(found).reshape(*orbit.shape, len(positions)).to(orbit.z)
    others = [i for i in range(orbit.dim) if i not in positions]
    coordinates = tuple(orbit.coordinates[i] for i in positions) + velocities + tuple(orbit.coordinates[i] for i in others)
    told = dict(orbit.provenance)
    if orbit.rate is None:
        derived = {name: orbit.coordinates[i] for name, i in zip(velocities, positions, strict=True)}
        told[DERIVED] = {**_mapping(told.get(DERIVED)), **derived}
    return {
        "t": orbit.t,
        "z": torch.cat([orbit.z[..., positions], v, orbit.z[..., others]], dim=-1),
        "coordinates": coordinates,
        "provenance": told,
        "periods": orbit.periods,
        "units": {**orbit.units, **_units(orbit, positions, velocities)},
    }


def sources_of(orbit: Orbit) -> dict[int, int]:
    """Return the index of the position from which each derived velocity comes, by the index of the velocity."""
    names = orbit.coordinates
    told = _mapping(orbit.provenance.get(DERIVED))
    return {names.index(v): names.index(q) for v, q in told.items() if v in names and q in names and q not in told}


def _mapping(told: Any) -> dict[str, str]:
    """Return what a provenance, which may come from any file, tells about derived velocities."""
    if not isinstance(told, Mapping):
        return {}
    return {name: source for name, source in told.items() if isinstance(name, str) and isinstance(source, str)}


def _chosen(orbit: Orbit, of: str | Sequence[str] | None) -> list[int]:
    names = orbit.coordinates if of is None else (of,) if isinstance(of, str) else tuple(of)
    known = sources_of(orbit)
    positions = [orbit.index(name) for name in names]
    if not positions or len(set(positions)) < len(positions):
        raise InputError(f"of must name each position once, such as of={orbit.coordinates[:1]!r}, not {names!r}")
    if twice := [orbit.coordinates[i] for i in positions if i in known or i in known.values()]:
        raise InputError(
            f"{twice[0]} has or is a velocity that was derived before; name the other positions in of, or start from the "
            "orbit without velocities"
        )
    return positions


def _named(orbit: Orbit, positions: list[int], names: str | Sequence[str] | None) -> tuple[str, ...]:
    chosen = [orbit.coordinates[i] for i in positions]
    if names is None:
        alone = len(chosen) == 1 and chosen[0] in orbit.periods
        return tuple(usual_rates(name, alone)[0] for name in chosen)
    given = (names,) if isinstance(names, str) else tuple(names)
    if len(given) != len(chosen):
        raise InputError(f"names has {len(given)} names for the velocities of {', '.join(chosen)}; give one for each")
    return given


def _units(orbit: Orbit, positions: list[int], velocities: Sequence[str]) -> dict[str, str]:
    """Return the units of velocities, as far as those of the positions and of the time are known."""
    time = orbit.units.get("t")
    units = [orbit.units.get(orbit.coordinates[i]) for i in positions]
    return {name: f"{unit}/{time}" for name, unit in zip(velocities, units, strict=True) if unit and time}
