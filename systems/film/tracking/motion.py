"""The motion of a pendulum as a whole: which kind of swing it is, and from when on the pendulum swings freely."""

from __future__ import annotations

import numpy as np

from systems.film.tracking.arrays import Floats
from systems.film.tracking.oscillation import Oscillation, oscillation
from systems.film.tracking.pendulum_motion import PendulumMotion, pendulum_motion

WIDE = 0.3  # radians: below it the period depends on the amplitude by less than 0.6 %
ENOUGH = 1.05  # of the residual of harmonics: the equation of a pendulum is preferred if it fits nearly as well
IRREGULAR = 0.1  # of the amplitude: a larger residual means that the pendulum does not swing freely all of the time
CLOSE = 6.0  # residuals: a motion that fits does not deviate farther
HELD = 0.05  # of the amplitude: how far a hand that holds a pendulum moves it at most
FEWEST = 16  # angles that are needed, two per parameter of an oscillation

Motion = Oscillation | PendulumMotion


def motion_of(t: Floats, x: Floats, start: Motion | None = None) -> Motion:
    """Fit harmonics that decay, or, if it fits a wide swing better, the equation of a damped pendulum.

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times [s].
    x : shape ``(T,)``
        Angles without jumps [rad].
    start : optional
        A motion that nearly fits, from which a search may start.

    Returns
    -------
    Oscillation or PendulumMotion
        The motion.
    """
    whole = oscillation(t, x)
    if float(np.ptp(x)) < 2 * WIDE:
        return whole
    wide = pendulum_motion(t, x, start if isinstance(start, PendulumMotion) else None)
    return whole if wide is None or not wide.residual < ENOUGH * whole.residual else wide


def free_motion(t: Floats, x: Floats) -> tuple[int, float, Motion]:
    """Find from when on a pendulum swings freely that a hand has held or moved before.

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times [s].
    x : shape ``(T,)``
        Angles without jumps [rad].

    Returns
    -------
    first : int
        Index of the first angle of the free swing; 0 if it is free from the start, or never.
    release : float
        Time at which it was released after it was held [s]; NaN if it was not.
    motion : Oscillation or PendulumMotion
        The motion from there on.
    """
    whole = motion_of(t, x)
    if _rest(whole, x) < IRREGULAR:
        return 0, float("nan"), whole
    for first in (len(t) // 2, 3 * len(t) // 4):
        if len(t) - first < 2 * FEWEST:
            break
        motion = motion_of(t[first:], x[first:])
        if _rest(motion, x[first:]) < IRREGULAR / 2:
            return _released(t, x, *_as_early_as_possible(t, x, first, motion))
    return 0, float("nan"), whole


def _as_early_as_possible(t: Floats, x: Floats, first: int, motion: Motion) -> tuple[int, Motion]:
    """Return the index from which on a motion fits that fits the last angles, and the motion from there on."""
    while first > 0:
        limit = max(CLOSE * motion.residual, HELD * motion.amplitude)
        earlier = np.flatnonzero((t < t[first]) & (t > t[first] - motion.period / 2))
        if not len(earlier):
            break
        off = np.flatnonzero(np.abs(x[earlier] - motion.centre - motion.swing(t[earlier])[0]) > limit)
        if len(off):
            return int(earlier[off[-1]]) + 1, motion
        first = int(earlier[0])
        motion = motion_of(t[first:], x[first:], motion)
    return first, motion


def _rest(motion: Motion, x: Floats) -> float:
    """Return the residual of a motion relative to its amplitude."""
    return motion.residual / max(float(np.sqrt(2) * x.std()), 1e-12)


def _released(t: Floats, x: Floats, first: int, motion: Motion) -> tuple[int, float, Motion]:
    """Return the index and the time of the release, near an index from which on the pendulum swings freely, and its motion."""
    quarter = motion.period / 4
    release = float("nan")
    before = x[(t < t[first] - quarter / 4) & (t > t[first] - 1.5 * quarter)]
    away = float(np.median(before)) - motion.centre if len(before) > 2 else 0.0
    if abs(away) > 0 and np.ptp(before) < 2 * HELD * abs(away):
        # the pendulum leaves the place where it was held like a cosine
        leaving = (t > t[first] - quarter / 2) & (t < t[first] + quarter)
        part = (x[leaving] - motion.centre) / away
        early = (part > 0.5) & (part < 1 - HELD)
        if early.any():
            since = np.arccos(part[early]) / (2 * np.pi) * motion.period
            release = float(np.median(t[leaving][early] - since))
            first = int(np.searchsorted(t, release))
    return first, release, motion_of(t[first:], x[first:], motion)
