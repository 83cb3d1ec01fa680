"""Unwrapping of recorded angles, which removes jumps by whole periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from systems.errors import InputError

if TYPE_CHECKING:
    from systems.orbit import Orbit

Floats = NDArray[np.float64]

ONE_TURN = 1 + 1e-6  # of a period; an angle with a smaller range, up to rounding in the file, was recorded modulo the period
CLEAR = 0.45  # of a period; a longer step may also be the rest of a turn in the other direction
WHOLE = 0.1  # of a period; largest deviation of a jump from whole turns if more than one turn is recorded
JUMP = 0.75  # of a period; a position does not move this far between two rows
NEIGHBOURS = 5  # steps whose median is the usual step


def unwrapped(t: Floats, x: Floats, period: float, parts: Sequence[slice]) -> tuple[Floats, list[bool], int | None]:
    """Undo the jumps by whole periods in a recorded angle.

    Within an interval, the angle takes the shortest way from one row to the next. If the angle is recorded over more than one
    turn, only jumps by whole turns are undone, and a fast rotation is left unchanged. Across a gap, the angle takes the
    shortest way if its largest speed allows less than half a turn. Otherwise it continues as recorded.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Times, and angles in the unit of the period.
    period
        Difference between equivalent angles.
    parts
        Consecutive intervals without a gap.

    Returns
    -------
    angle : shape ``(T,)``
        The angle without jumps.
    joined : list of bool
        Whether the angle is known to continue from each interval to the next.
    unclear : int or None
        First row from which the step to the next row has an ambiguous number of turns. Its interval is left as recorded.
    """
    within = bool(np.ptp(x) <= period * ONE_TURN)
    angle, unclear, speed = x.copy(), None, 0.0
    for part in parts:
        steps = np.diff(x[part])
        usual = np.zeros_like(steps) if within else _usual(steps)
        turns = np.round((steps - usual) / period)
        rest = steps - turns * period
        doubtful = np.abs(rest) > CLEAR * period if within else (turns != 0) & (np.abs(rest - usual) > WHOLE * period)
        if doubtful.any():
            unclear = part.start + int(np.argmax(doubtful)) if unclear is None else unclear
            continue
        angle[part.start + 1 : part.stop] -= period * np.cumsum(turns)
        if len(steps):
            speed = max(speed, float(np.abs(rest / np.diff(t[part])).max()))
    joined = []
    for before, after in pairwise(parts):
        first, last = after.start, before.stop - 1
        joined.append(unclear is None and speed * (t[first] - t[last]) < period / 2)
        if joined[-1]:
            angle[after] -= period * np.round((angle[first] - angle[last]) / period)
    return angle, joined, unclear


def continued(z: Floats, periods: Floats) -> Floats:
    """Return states ``(T, D)`` whose angles take the shortest way from each measured value to the next.

    NaN is not measured, and the period of a coordinate that is no angle is infinite.
    """
    z = z.copy()
    for i in np.flatnonzero(np.isfinite(periods)):
        known = np.isfinite(z[:, i])
        z[known, i] = np.unwrap(z[known, i], period=periods[i])
    return z


def continuous(orbit: Orbit) -> Orbit:
    """Return a single orbit in float64, without rates, whose angles are `continued`."""
    periods = np.array([orbit.periods.get(name, np.inf) for name in orbit.coordinates])
    z = continued(orbit.z.detach().cpu().double().numpy(), periods)
    return replace(orbit, t=orbit.t.detach().cpu().double(), z=torch.from_numpy(z), rate=None)


def seems_wrapped(x: Floats, period: float, parts: Sequence[slice]) -> bool:
    """Return whether a column that is not declared as an angle of this period jumps like one."""
    if np.ptp(x) > period * ONE_TURN:
        return False
    return any((np.abs(np.diff(x[part])) > JUMP * period).any() for part in parts)


def refuse_unclear(path: object, name: str, t: Floats, period: float, row: int) -> None:
    """Raise the InputError for a step with an ambiguous number of turns."""
    raise InputError(
        f"{path}: {name} changes by about half its period of {period:g}, or jumps by a fraction of a period, from "
        f"t = {t[row]:.12g} to {t[row + 1]:.12g}, so its turns cannot be counted; record faster, pass "
        f"periods={{{name!r}: 360}} for degrees, or pass periods={{}} if it is not an angle"
    )


def _usual(steps: Floats) -> Floats:
    """Return the running median of the steps."""
    if len(steps) < NEIGHBOURS:
        return np.full_like(steps, np.median(steps)) if len(steps) else steps
    padded = np.pad(steps, NEIGHBOURS // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, NEIGHBOURS), axis=-1))
