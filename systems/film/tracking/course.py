"""The part of a recording in which a pendulum swings freely and the film's time runs evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from systems.film.tracking.arrays import Floats, Mask
from systems.film.tracking.motion import Motion, free_motion, motion_of
from systems.film.tracking.slips import stretches_between_slips

ENOUGH = 1.5  # periods, from which an amplitude is determined


@dataclass(frozen=True)
class Course:
    """What part of a recording counts, and why.

    Attributes
    ----------
    free : shape ``(T,)``
        Which frames are in that part.
    motion
        The motion in it.
    beginning
        The motion at the beginning of the free swing, or None if that is the same.
    release : float
        Time at which a hand released the pendulum [s]; NaN if it swings freely from the first frame.
    slips : int
        Number of jumps of the phase, between which the part is the longest.
    """

    free: Mask
    motion: Motion
    beginning: Motion | None
    release: float
    slips: int


def course_of(t: Floats, phi: Floats) -> Course:
    """Find the part of a recording in which a pendulum swings freely and evenly.

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times [s].
    phi : shape ``(T,)``
        Angles without jumps [rad]; NaN where unknown.

    Returns
    -------
    Course
        The part, and the motion in it.
    """
    seen = np.flatnonzero(np.isfinite(phi))
    first, release, motion = free_motion(t[seen], phi[seen])
    seen = seen[first:]
    stretches = stretches_between_slips(t[seen], phi[seen], motion)
    jumped = int(first > 0 and not np.isfinite(release))  # from another motion, as at a splice
    if len(stretches) == 1:
        return Course(t >= t[seen[0]], motion, None, release, jumped)
    start, longest = seen[stretches[0]], seen[max(stretches, key=lambda stretch: stretch.stop - stretch.start)]
    motion = motion_of(t[longest], phi[longest], motion)
    known = np.ptp(t[start]) > ENOUGH * motion.period and start[0] != longest[0]
    beginning = motion_of(t[start], phi[start]) if known else None
    free = (t >= t[longest[0]]) & (t <= t[longest[-1]])
    return Course(free, motion, beginning, release, jumped + len(stretches) - 1)
