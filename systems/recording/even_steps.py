"""Runs at equal steps: their common step, and their stretches without holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from systems.errors import InputError

if TYPE_CHECKING:
    from systems.orbit import Orbit

JITTER = 0.02  # largest deviation of a time from a multiple of the step, in steps


def common_step(orbits: Sequence[Orbit], what: str) -> float:
    """Return the median step of orbits.

    Parameters
    ----------
    orbits : sequence of Orbit
        Orbits or batches.
    what : str
        What needs equal steps, for the message.

    Raises
    ------
    InputError
        If no orbit has two times.
    """
    steps = torch.cat([one.t.diff().abs() for one in _single(orbits)] or [torch.zeros(0)])
    if not len(steps):
        raise InputError(f"{what} needs runs of several times, but each run has one: give longer runs")
    return float(steps.median())


def even_stretches(orbits: Sequence[Orbit], step: float, what: str) -> list[Orbit]:
    """Return the stretches of orbits at equal steps, without holes.

    A run ends where a coordinate was not measured. If it was measured more often than the step, every second, third, ... state
    is kept, up to the last one.

    Parameters
    ----------
    orbits : sequence of Orbit
        Orbits or batches, in increasing or decreasing time.
    step : float
        The step.
    what : str
        What needs equal steps, for the message.

    Returns
    -------
    list of Orbit
        Single orbits of shape ``(T,)`` in increasing time and in float64, in which all coordinates are known.

    Raises
    ------
    InputError
        If times are no multiples of the step, up to 2 % of it.
    """
    found = []
    for one in _single(orbits):
        known = one.measured.all(-1)
        t, z, rate = one.t[known], one.z[known], None if one.rate is None else one.rate[known]
        if not len(t):
            continue
        often = max(1, round(float(step / t.diff().median()))) if len(t) > 1 else 1
        counts = ((t - t[0]) / (step / often)).diff()
        if (wrong := ((counts - counts.round()).abs() > JITTER) | (counts < 0.5)).any():
            at = int(wrong.nonzero()[0])
            raise InputError(
                f"{what} needs states at equal steps of {step:.6g}, but t = {float(t[at]):.6g} is followed by "
                f"{float(t[at + 1]):.6g}: resample the runs, or use a model without a memory, such as nn"
            )
        ends = [0, *((counts.round() > 1).nonzero().flatten() + 1).tolist(), len(t)]
        for a, b in pairwise(ends):
            rows = torch.arange(b - 1, a - 1, -often).flip(0)
            found.append(replace(one, t=t[rows], z=z[rows], rate=None if rate is None else rate[rows]))
    return found


def _single(orbits: Sequence[Orbit]) -> list[Orbit]:
    """Return each orbit by itself, in increasing time and in float64 on the CPU."""
    found = []
    for orbit in orbits:
        for one in orbit.separate():
            t, z = (x.detach().cpu().double() for x in (one.t, one.z))
            rate = None if one.rate is None else one.rate.detach().cpu().double()
            order = slice(None) if len(t) < 2 or t[-1] > t[0] else torch.arange(len(t) - 1, -1, -1)
            found.append(replace(one, t=t[order], z=z[order], rate=None if rate is None else rate[order]))
    return found
