"""Which places of markers count: those that are whole, rigidly apart, new, and close to their neighbours'."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from systems.film.tracking import rates
from systems.film.tracking.arrays import Floats, Mask, Points
from systems.film.tracking.motion import FEWEST, Motion
from systems.film.tracking.noise import noise_of

HIDDEN = 0.25  # relative deviation from the usual mass, beyond which a marker is partly hidden or merged with something
OUTLIER = 7.0  # standard deviations from the neighbouring angles: a chance of 1 in 1e11
ROUNDS = 5  # of reweighting, after which the line changes little
REPEATED = 0.35  # of the usual change of the picture: below it a frame may repeat the previous one


def wholeness(mass: Floats, speed: Floats) -> Floats:
    """Return 1 for a marker as large as usual at its speed, down to 0 for one that is partly hidden or not seen.

    A bright marker that moves during the exposure leaves a streak, whose area grows with its speed.

    Parameters
    ----------
    mass : shape ``(T,)``
        How much of the marker is seen [pixels]; NaN where it is not seen.
    speed : shape ``(T,)``
        Its speed [pixels per frame]; NaN where unknown.
    """
    usual = np.full(len(mass), _usual(mass))
    known = np.isfinite(mass) & np.isfinite(speed)
    if known.sum() >= FEWEST and np.ptp(speed[known]) > 0:
        weight = np.ones(int(known.sum()))
        columns = np.stack([np.ones_like(weight), speed[known]], 1)
        for _ in range(ROUNDS):  # least absolute deviations, on which hidden markers have little influence
            line = np.linalg.lstsq(columns * weight[:, None], mass[known] * weight, rcond=None)[0]
            weight = 1 / np.sqrt(np.maximum(np.abs(mass[known] - columns @ line), 0.01 * usual[0]))
        if line[1] > 0:
            usual[known] = np.maximum(columns @ line, 0.1 * usual[0])
    off = np.abs(np.log(mass / usual))
    limit = max(HIDDEN, 6 * noise_of(off))
    return np.where(off < limit, 1 - 0.9 * off / limit, 0)


def speed_of(z: Points) -> Floats:
    """Return the speed of a point that is at ``x + i y`` in each frame ``(T,)``, [pixels per frame]; NaN where unknown."""
    return np.abs(np.gradient(z)) if len(z) > 1 else np.full(len(z), np.nan)


def rigidity(length: Floats) -> Floats:
    """Return 1 for ends as far apart as usual, down to 0 where one is not the end of the rod, or is not seen.

    Parameters
    ----------
    length : shape ``(T,)``
        Distance of the ends [pixels]; NaN where unknown.
    """
    off = np.abs(length - _usual(length))
    limit = max(8 * noise_of(off), 1e-2 * _usual(length))
    return np.where(off < limit, 1 - 0.5 * off / limit, 0)


def duplicates(t: Floats, phi: Floats, change: Floats | None, whole: Motion) -> Mask:
    """Return which frames repeat the previous one: neither picture nor angle changes where the angle should.

    At the turning points this cannot be decided, and does no harm.

    Parameters
    ----------
    t : shape ``(T,)``
        Times [s].
    phi : shape ``(T,)``
        Angles [rad]; NaN where unknown.
    change : shape ``(T,)`` or None
        Mean difference of the picture around the marker from the previous frame [grey levels].
    whole
        The motion as a whole.

    Returns
    -------
    shape ``(T,)``
        True for repeated frames.
    """
    repeated = np.zeros(len(t), bool)
    seen = np.isfinite(phi)
    if change is None or seen.sum() < FEWEST:
        return repeated
    smooth = _expected(t[seen], phi[seen], whole)
    noise = max(noise_of(np.abs(phi[seen] - smooth)), 1e-9)
    where = np.flatnonzero(seen)
    follows = np.flatnonzero(np.diff(where) == 1) + 1
    due = np.abs(smooth[follows] - smooth[follows - 1])
    step = np.abs(phi[where[follows]] - phi[where[follows - 1]])
    fast = due > 0.02 * whole.amplitude
    if not fast.any():
        return repeated
    # up to three of five frames are repeated in a film of 24 frames per second that was converted to 60
    usual = float(np.nanpercentile(change[where[follows]][fast], 80))
    # a film in which many frames are repeated is noisy for the same reason
    sure = fast & (due > min(4 * noise, 0.5 * float(np.percentile(due[fast], 80))))
    repeated[where[follows[sure & (change[where[follows]] < REPEATED * usual) & (step < 0.25 * due)]]] = True
    return repeated


def outliers(t: Floats, phi: Floats, finest: float, whole: Motion) -> NDArray[np.intp]:
    """Return the indices of angles far from their neighbours', as when something of a marker's colour hides part of it.

    Parameters
    ----------
    t : shape ``(T,)``
        Times [s].
    phi : shape ``(T,)``
        Angles [rad]; NaN where unknown.
    finest
        Smallest noise to assume [rad].
    whole
        The motion as a whole.
    """
    seen = np.flatnonzero(np.isfinite(phi))
    if len(seen) < FEWEST:
        return seen[:0]
    rest = phi[seen] - _expected(t[seen], phi[seen], whole)
    if not np.isfinite(rest).any():
        return seen[:0]
    off = np.abs(rest - np.nanmedian(rest))
    noise = max(noise_of(off), finest)
    return seen[np.nan_to_num(off) > OUTLIER * noise]


def _expected(t: Floats, phi: Floats, whole: Motion) -> Floats:
    """Return the angles that the motion as a whole and its harmonics nearby suggest."""
    swing = whole.swing(t)[0]
    return swing + rates.harmonic_rates(t, phi - swing, whole.period)[0]


def _usual(x: Floats) -> float:
    """Return the median of what was seen, or NaN if nothing was."""
    return float(np.nanmedian(x)) if np.isfinite(x).any() else float("nan")
