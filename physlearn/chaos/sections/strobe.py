"""The stroboscopic section of a flow with a period in time: its states at one phase of the drive."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, isfinite, pi

import torch
from torch import Tensor

from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import Resolution
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.iterates import iterates
from systems import InputError

PHASE = "phase"  # the word for the surface, unless a coordinate has this name
SLACK = 1e-9  # by which rounding may shorten a time that was meant to be a number of periods


def phase_of(rollout: Rollout, surface: object) -> float | None:
    """Return the phase in radians if the surface is one of the drive, or None for a surface of a coordinate.

    Raises InputError if the flow has no period in time, or if the phase is no number.
    """
    if PHASE in rollout.coordinates or not (isinstance(surface, tuple | list) and len(surface) == 2 and surface[0] == PHASE):
        return None
    if rollout.flow.period is None:
        raise InputError(f"{rollout.flow.name} has no period in time, so that its drive has no phase; name a coordinate")
    try:
        phase = float(surface[1])
    except (TypeError, ValueError):
        phase = float("nan")
    if not isfinite(phase):
        raise InputError(f"the phase of a stroboscopic section must be a number of radians, not {surface[1]!r}")
    return phase


def whole_periods(rollout: Rollout) -> Rollout:
    """Return the rollout with steps that divide the period in time, no longer than before, over as many periods as fit.

    Raises InputError if the time is shorter than one period.
    """
    period = rollout.flow.period
    assert period is not None  # phase_of has checked it
    periods = int(rollout.time / period + SLACK)
    if not periods:
        raise InputError(
            f"time {rollout.time:g} is shorter than the period {period:g} of {rollout.flow.name}; give a longer time"
        )
    each = ceil(period / rollout.dt - SLACK)
    return replace(rollout, dt=period / each, steps=each * periods)


def strobed(rollout: Rollout, resolution: Resolution, phase: float, bounds: Bounds) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (orbit, t, z) of the states at a phase of the drive, sorted by orbit and time, and which orbits escaped."""
    period = rollout.flow.period
    assert period is not None
    first = phase / (2 * pi) % 1.0 or 1.0  # the initial states do not count
    periods = round(rollout.time / period)
    escaped = torch.zeros(len(rollout.z), dtype=torch.bool, device=rollout.z.device)
    found = [(torch.zeros(0, dtype=torch.long, device=rollout.z.device), rollout.z.new_zeros(0), rollout.z[:0])]
    for rows, group in resolution.groups(rollout, resolution.resolved):
        each = group.steps // periods
        one = replace(group, dt=period, steps=periods)
        own = bounds.among(rows, resolution.scale[rows])
        number, t, z, escaped[rows] = iterates(one, own, parts=each, first=first)
        found.append((rows[number], t, z))
    orbit, t, z = (torch.cat(parts) for parts in zip(*found, strict=True))
    order = torch.argsort(orbit, stable=True)
    return orbit[order], t[order], z[order], escaped
