"""Oscillations of a point: whether it swings, how far, how fast, and along which line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lombscargle

from systems.film.tracking.arrays import Floats, Mask
from systems.film.tracking.noise import noise_of

DECAYS = 0, 2, 4, 8  # over the whole time, in powers of e: those between are as near to one of them as a line is
MISFIT = 0.15  # of the amplitude, by which a swing that decays may differ from one with the nearest of these decays
MOSTLY = 0.7  # part of the points that must belong to the swing


@dataclass(frozen=True)
class Swing:
    """An oscillation of a point.

    Attributes
    ----------
    period : float
        Period [s].
    centre, axis : shape ``(2,)``
        Its centre [pixels], and the unit vector along which it swings.
    amplitude : complex
        Its amplitude [pixels], RMS over time, with its phase in the middle of all times.
    coherence : float
        Part of the motion that the oscillation explains, at most 1.
    noise : float
        Standard deviation of the rest [pixels].
    """

    period: float
    centre: Floats
    axis: Floats
    amplitude: complex
    coherence: float
    noise: float

    @property
    def size(self) -> float:
        """Amplitude to either side [pixels]."""
        return abs(self.amplitude)


def swing_of(t: Floats, points: Floats) -> tuple[Swing, Mask]:
    """Fit the oscillation of a point that may drift, and whose swing may grow or decay.

    Parameters
    ----------
    t : shape ``(T,)``
        Times [s].
    points : shape ``(T, 2)``
        Places of the point [pixels]; NaN where not seen.

    Returns
    -------
    swing : Swing
        The oscillation.
    own : shape ``(T,)``
        Which places belong to it.
    """
    found = np.isfinite(points).all(axis=1)
    away = np.hypot(*(points - np.median(points[found], axis=0)).T)
    # no swing reaches farther; of one that decays, the first swings are far from the others
    farthest = max(6 * float(np.median(away[found])), 1.5 * float(np.percentile(away[found], 90)), 1.0)
    near = np.asarray(found & (np.nan_to_num(away) <= farthest))
    seen = np.asarray(near if near.sum() > MOSTLY * found.sum() else found, np.bool_)
    swing, rest, size = _fit(t, points, seen)
    for _ in range(3):  # what is followed in place of a hidden point must not count
        usual = noise_of(rest[seen])
        kept = np.isfinite(rest) & (rest < np.maximum(max(5 * usual, 1.0), MISFIT * size))
        if kept.sum() < MOSTLY * found.sum() or (kept == seen).all():
            break
        seen = kept
        swing, rest, size = _fit(t, points, seen)
    usual = noise_of(rest[seen])
    return swing, np.nan_to_num(rest, nan=np.inf) < np.maximum(max(6 * usual, 1.5), MISFIT * size)


def _fit(t: Floats, points: Floats, seen: Mask) -> tuple[Swing, Floats, Floats]:
    """Return the oscillation of the points that are seen, how far each point is from it, and its amplitude at each time."""
    everything, all_times = points, t - t.mean()  # the phase refers to the middle of all times, whichever are seen
    t, points = all_times[seen], points[seen]
    middle = np.median(points, axis=0)
    span = float(np.ptp(t))
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    s = (points - middle) @ axes[0]
    s -= np.polyval(np.polyfit(t, s, 1), t)
    step = float(np.median(np.diff(t)))
    frequency = np.arange(1.3 / span, 0.45 / step, 0.1 / span)
    power = lombscargle(t, s + 1e-12, 2 * np.pi * frequency)
    best = frequency[int(np.argmax(power))]
    near = [(f, decay / span) for f in np.linspace(best - 0.1 / span, best + 0.1 / span, 9) for decay in DECAYS]
    misses = [
        (s - columns @ np.linalg.lstsq(columns, s, rcond=None)[0]) for columns in (_columns(t, *one, span) for one in near)
    ]
    rest = [float(miss.var()) for miss in misses]
    f, decay = near[int(np.argmin(rest))]
    columns = _columns(t, f, decay, span)
    both = np.linalg.lstsq(columns, points, rcond=None)[0]
    direction = both[4] + 1j * both[5]
    _, _, principal = np.linalg.svd(np.stack([direction.real, direction.imag]))
    axis = principal[0] if principal[0][np.argmax(np.abs(principal[0]))] > 0 else -principal[0]
    total = float(s.var())
    swing = Swing(
        period=float(1 / f),
        centre=both[0],
        axis=axis,
        amplitude=complex(direction @ axis),
        coherence=1 - min(rest) / total if total > 0 else 0.0,
        noise=float((points - columns @ both).std()),
    )
    rest = np.hypot(*(everything - _columns(all_times, f, decay, span) @ both).T)
    return swing, rest, swing.size * np.exp(-decay * all_times) / np.sqrt(np.mean(np.exp(-2 * decay * all_times)))


def _columns(t: Floats, f: float, decay: float, span: float) -> Floats:
    phase, half = 2 * np.pi * f * t, t / max(span, 1e-9)
    c, s = np.cos(phase), np.sin(phase)
    envelope = np.exp(-decay * t)
    waves = np.stack([half * c, half * s, c, s, np.cos(2 * phase), np.sin(2 * phase)], axis=1)
    waves *= (envelope / np.sqrt(np.mean(envelope**2)))[:, None]
    return np.column_stack([np.ones_like(t), half, waves])
