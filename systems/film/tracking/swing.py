"""Oscillations of a point: whether it swings, how far, how fast, and along which line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lombscargle

from systems.film.tracking.arrays import Floats, Mask
from systems.film.tracking.noise import noise_of

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
        Its amplitude [pixels] with its phase in the middle of all times.
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
    near = np.asarray(found & (np.nan_to_num(away) <= max(6 * float(np.median(away[found])), 1.0)))  # no swing reaches farther
    seen = np.asarray(near if near.sum() > MOSTLY * found.sum() else found, np.bool_)
    swing, rest = _fit(t, points, seen)
    for _ in range(3):  # what is followed in place of a hidden point must not count
        usual = noise_of(rest[seen])
        kept = np.isfinite(rest) & (rest < max(5 * usual, 1.0))
        if kept.sum() < MOSTLY * found.sum() or (kept == seen).all():
            break
        seen = kept
        swing, rest = _fit(t, points, seen)
    usual = noise_of(rest[seen])
    return swing, np.nan_to_num(rest, nan=np.inf) < max(6 * usual, 1.5)


def _fit(t: Floats, points: Floats, seen: Mask) -> tuple[Swing, Floats]:
    """Return the oscillation of the points that are seen, and how far each point is from it."""
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
    fits = [_harmonic(t, s, f) for f in np.linspace(best - 0.1 / span, best + 0.1 / span, 9)]
    f, (residual, _) = min(
        zip(np.linspace(best - 0.1 / span, best + 0.1 / span, 9), fits, strict=True), key=lambda item: item[1][0].var()
    )
    columns = _columns(t, f, span)
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
        coherence=1 - float(residual.var()) / total if total > 0 else 0.0,
        noise=float((points - columns @ both).std()),
    )
    rest = np.hypot(*(everything - _columns(all_times, f, float(np.ptp(t))) @ both).T)
    return swing, rest


def _columns(t: Floats, f: float, span: float) -> Floats:
    phase, half = 2 * np.pi * f * t, t / max(span, 1e-9)
    c, s = np.cos(phase), np.sin(phase)
    return np.stack([np.ones_like(t), half, half * c, half * s, c, s, np.cos(2 * phase), np.sin(2 * phase)], axis=1)


def _harmonic(t: Floats, s: Floats, f: float) -> tuple[Floats, Floats]:
    columns = _columns(t, f, float(np.ptp(t)))
    fit = np.asarray(np.linalg.lstsq(columns, s, rcond=None)[0], float)
    return s - columns @ fit, fit
