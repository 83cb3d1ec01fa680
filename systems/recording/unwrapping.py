"""Unwrap recorded angles: a jump by a whole period is no motion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError

Floats = NDArray[np.float64]

ONE_TURN = 1 + 1e-6  # of a period: what stays within one turn, to the digits of a file, was recorded modulo the period
CLEAR = 0.45  # of a period: a longer step may as well be the rest of a turn the other way
WHOLE = 0.1  # of a period: so far may a jump be from whole turns where more than one turn is recorded
JUMP = 0.75  # of a period: so far does no position move between two rows, and back
NEIGHBOURS = 5  # steps, whose median is the usual one


def unwrapped(t: Floats, x: Floats, period: float, parts: Sequence[slice]) -> tuple[Floats, list[bool], int | None]:
    """Undo the jumps by whole periods in a recorded angle.

    Within a stretch, the angle takes the shortest way from one row to the next. If the angle is recorded over more than one
    turn, only jumps by whole turns are undone, and a fast rotation is left as it is. Across a gap, the angle takes the
    shortest way if at its largest speed it cannot have come farther than half a turn; otherwise it goes on as it is recorded.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Times, and angles in the unit of the period.
    period
        Difference of two angles that are the same.
    parts
        Stretches without a gap, which follow each other.

    Returns
    -------
    angle : shape ``(T,)``
        The angle without jumps.
    joined : list of bool
        Whether the angle is known to go on from each stretch to the next.
    unclear : int or None
        The first row from which the step to the next cannot be told from one of another number of turns. Its stretch is left
        as it is recorded.
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


def seems_wrapped(x: Floats, period: float, parts: Sequence[slice]) -> bool:
    """Whether a column, of which it is not said that it is an angle of that period, jumps like one."""
    if np.ptp(x) > period * ONE_TURN:
        return False
    return any((np.abs(np.diff(x[part])) > JUMP * period).any() for part in parts)


def refuse_unclear(path: object, name: str, t: Floats, period: float, row: int) -> None:
    """Raise the InputError for a step of about half a turn."""
    raise InputError(
        f"{path}: {name} steps by about half its period of {period:g}, or by no whole number of periods, from "
        f"t = {t[row]:.12g} to {t[row + 1]:.12g}, so that its turns cannot be counted; record faster, or pass "
        f"periods={{{name!r}: 360}} for degrees, or periods={{}} for what is no angle"
    )


def _usual(steps: Floats) -> Floats:
    """The median of the steps around each."""
    if len(steps) < NEIGHBOURS:
        return np.full_like(steps, np.median(steps)) if len(steps) else steps
    padded = np.pad(steps, NEIGHBOURS // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, NEIGHBOURS), axis=-1))
