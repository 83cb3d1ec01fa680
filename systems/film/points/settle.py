"""From sights of markers to places with errors: repeated frames, hidden markers, stray places, and noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import norm

from systems.film.tracking.arrays import Floats, Mask, Points
from systems.film.tracking.noise import noise_of
from systems.recording import smooth

SYSTEMATIC = 0.06  # pixels: what the grid of pixels and the lower resolution of colours do to a centre in many frames alike
LINGERING = 1.6  # times the noise around a smooth course: errors of compressed pictures last for some frames
CHANGED = 0.25  # radii by which a marker may seem to move when its picture becomes quite unlike the first one
HIDDEN = 0.12  # relative deviation from the expected area, beyond which a marker is partly hidden or merged with something
REPEATED = 0.35  # of the usual change of the picture around a marker: below it a frame may repeat the previous one
STOPPED = 0.25  # of the way that is due by the frames before and after: a marker that moves less repeats the frame before
MOVES, SEEN = 1.5, 5.0  # pixels that are due, or standard deviations, below which a repetition cannot be told
STRAY = 8.0  # standard deviations from the course of the neighbours
CONFIRMED = 4  # sights in a row that count in a longer gap
FEWEST = 8  # places from which noise is estimated
COARSE = 0.5  # pixels: error where the noise cannot be estimated


@dataclass(frozen=True)
class Record:
    """What was seen of one marker.

    Attributes
    ----------
    x, y : shape ``(T,)``
        Its places [pixels], NaN where not seen.
    size, likeness : shape ``(T,)``
        Its area in units of the usual one, and its likeness to what it was first.
    change : shape ``(T,)``
        Mean change of the picture around it from the previous frame [grey levels], NaN where unknown.
    clicked : shape ``(T,)``
        Whether the place was given by the user.
    radius : float
        Its radius [pixels].
    error : float
        Error that many frames have in common, because of what surrounds the marker [pixels].
    """

    x: Floats
    y: Floats
    size: Floats
    likeness: Floats
    change: Floats
    clicked: Mask
    radius: float
    error: float


def settled(t: Floats, records: list[Record]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return places, errors and quality of all markers, ``(n, T)`` each, in pixels.

    Parameters
    ----------
    t : shape ``(T,)``
        Times [s].
    records
        One per marker.
    """
    x, y = np.stack([one.x for one in records]), np.stack([one.y for one in records])
    quality = np.stack([np.where(np.isfinite(one.x), one.likeness, 0.0) for one in records])
    clicked = np.stack([one.clicked for one in records])
    repeated = _repeated(t, records)
    scatter = np.zeros(len(records))
    for k, one in enumerate(records):
        whole, scatter[k] = _wholeness(t, one)
        quality[k] *= np.where(one.clicked, 1.0, whole)
        quality[k][repeated & ~one.clicked] = 0
        quality[k][_islands(quality[k] > 0) & ~one.clicked] = 0
        quality[k][_strays(t, np.where(quality[k] > 0, one.x + 1j * one.y, np.nan)) & ~one.clicked] = 0
    gone = quality <= 0
    x[gone] = y[gone] = np.nan
    errors = np.full_like(x, np.nan)
    for k, one in enumerate(records):
        noise = _noise(t, x[k], y[k])
        # edges that make the area differ from frame to frame move the centre, too, as does a picture that changes
        changes = np.hypot(0.5 * scatter[k], CHANGED * (1 - one.likeness)) * one.radius
        systematic = np.sqrt(SYSTEMATIC**2 + one.error**2 + changes**2)
        errors[k] = np.where(clicked[k], max(noise, 2 * COARSE), np.hypot(LINGERING * noise, systematic))
    errors[gone] = np.nan
    return x, y, errors, np.clip(quality, 0, 1)


def _wholeness(t: Floats, one: Record) -> tuple[Floats, float]:
    """Return 1 for a marker as large as it is expected at its speed, down to 0 for one that is partly hidden.

    A bright marker that moves while the shutter is open covers more pixels: its area grows with its speed. The number that is
    returned, too, is the relative scatter of the area from frame to frame.
    """
    whole = np.ones(len(t))
    seen = np.flatnonzero(np.isfinite(one.x) & ~one.clicked)
    if len(seen) < FEWEST or np.ptp(one.size[seen]) == 0:
        return whole, 0.0
    z = one.x[seen] + 1j * one.y[seen]
    speed = np.abs(np.gradient(z, t[seen]))
    columns = np.stack([np.ones_like(speed), speed / max(float(speed.max()), 1e-9)], axis=1)
    size, kept = one.size[seen], np.ones(len(seen), bool)
    expected = np.full(len(seen), float(np.median(size)))
    for _ in range(5):
        fit = np.linalg.lstsq(columns[kept], size[kept], rcond=None)[0]
        expected = np.maximum(columns @ fit, 0.05)
        off = np.abs(np.log(size / expected))
        kept = off < max(HIDDEN, 3 * noise_of(off))
    limit = max(HIDDEN, 6 * noise_of(off))
    whole[seen] = np.where(off < limit, 1 - 0.5 * off / limit, 0)
    return whole, noise_of(np.abs(np.diff(np.log(size)))) / np.sqrt(2)


def _repeated(t: Floats, records: list[Record]) -> Mask:
    """Return which frames repeat the previous one: neither the picture nor any marker that moves has changed."""
    for_it, against = np.zeros(len(t), int), np.zeros(len(t), int)
    for one in records:
        z = one.x + 1j * one.y
        known = np.isfinite(one.change)
        if len(t) < FEWEST or not known.any():
            continue
        usual = float(np.median(one.change[known]))
        steps, way = np.diff(t), np.diff(z)
        pace = way / steps
        due = np.abs(pace[:-2] + pace[2:]) / 2 * steps[1:-1]  # from the frames before and after; zero at a turning point
        moves = np.nan_to_num(due) > max(MOVES, SEEN * _jitter(z, 0.25))
        still = moves & (np.abs(way[1:-1]) < STOPPED * due) & (one.change[2:-1] < REPEATED * usual)
        for_it[2:-1] += still
        against[2:-1] += moves & ~still
    return (for_it > 0) & (against == 0)


def _islands(seen: Mask) -> Mask:
    """Return which sights stand alone in a longer gap, where they may be of something else."""
    alone = np.zeros(len(seen), bool)
    ends = np.flatnonzero(np.diff(seen.astype(int))) + 1
    runs = list(pairwise([0, *ends.tolist(), len(seen)]))
    for (a, b), (c, d), (e, f) in zip(runs, runs[1:], runs[2:], strict=False):
        if seen[c] and d - c < CONFIRMED and (b - a) + (f - e) > 2 * (d - c):
            alone[c:d] = True
    return alone


def _strays(t: Floats, z: Floats) -> Mask:
    """Return which single places lie far off the cubic through their two neighbours on each side."""
    seen = np.flatnonzero(np.isfinite(z))
    stray = np.zeros(len(t), bool)
    if len(seen) < FEWEST:
        return stray
    at, own = t[seen], z[seen]
    off = np.zeros(len(seen))
    for k in range(2, len(seen) - 2):
        near = np.array([k - 2, k - 1, k + 1, k + 2])
        u = at[near] - at[k]
        weights = [np.prod([-u[j] / (u[i] - u[j]) for j in range(4) if j != i]) for i in range(4)]
        off[k] = abs(own[k] - np.dot(weights, own[near]))
    steps = np.abs(np.diff(own))
    step = np.maximum(steps[:-3], steps[3:])  # of the neighbours: a marker that bounces is off by less
    far = off[2:-2] > np.maximum(STRAY * max(noise_of(off[2:-2]), SYSTEMATIC), 2 * step + 1)
    stray[seen[2:-2]] = far & (off[2:-2] >= off[1:-3]) & (off[2:-2] >= off[3:-1])
    return stray


def _noise(t: Floats, x: Floats, y: Floats) -> float:
    """Return the standard deviation of places around a smooth course [pixels]."""
    seen = np.isfinite(x)
    if seen.sum() < FEWEST:
        return COARSE
    if np.ptp(x[seen]) == 0 and np.ptp(y[seen]) == 0:
        return 0.0
    moving = [values - values[seen].mean() for values in (x, y) if np.ptp(values[seen]) > 0]
    # a spline of the whole course, and fourth differences, on which a few kinks have little influence
    noises = [smooth([(t, values) for values in moving])[0].noise, _jitter(x + 1j * y)]
    return float(np.nanmin(noises))


def _jitter(z: Points, part: float = 0.68) -> float:
    """Return the noise of each coordinate from the smallest part of the fourth differences, without kinks and repetitions."""
    steps = np.diff(z[np.isfinite(z)], 4)
    parts = np.abs(np.concatenate([steps.real, steps.imag]))
    if not (parts > 0).any():
        return 0.0
    # the fourth difference of white noise has a variance of 70
    return float(np.quantile(parts[parts > 0], part) / norm.ppf((1 + part) / 2) / np.sqrt(70))
