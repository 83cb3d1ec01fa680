"""Velocities and accelerations without lag."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from systems.film.tracking.arrays import Floats
from systems.film.tracking.motion import Motion
from systems.film.tracking.oscillation import HARMONICS

ORDER = 5  # order of the local polynomials, as for recordings
WINDOW_PERIODS = 3.0  # window of the harmonic check, in periods
CENTRED = 0.06  # of a window: the lag of a fit less far off centre is negligible


@dataclass(frozen=True)
class Rates:
    """A smoothed angle with its derivatives.

    Attributes
    ----------
    value, error : shape ``(3, T)``
        The angle and its first two derivatives, and their errors.
    off_centre : shape ``(T,)``
        How far off the centre of its window each fit was, as a part of the window.
    """

    value: Floats
    error: Floats
    off_centre: Floats


def smoothed(t: Floats, x: Floats, at: Floats, window: int, noise: float, whole: Motion) -> Rates:
    """Return the angle and its rates: those of the whole oscillation, plus local polynomials fitted to the residuals.

    Polynomials alone flatten a swing by about 1 % of its acceleration. They flatten the residuals as well, which are small.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times [s] and the angles.
    at : shape ``(S,)``
        Times at which to evaluate [s].
    window
        Odd number of samples that the polynomials span.
    noise
        Standard deviation of an angle.
    whole
        The motion of all of the angles.

    Returns
    -------
    Rates
        The angle and its first two derivatives at ``at``.
    """
    rest = x - whole.swing(t)[0]
    left = float(np.sqrt(2 * np.mean((rest - rest.mean()) ** 2)))
    smooth = _local_polynomials(t, rest, at, window, noise, whole.period, left)
    return Rates(smooth.value + whole.swing(at), smooth.error, smooth.off_centre)


def _local_polynomials(
    t: Floats, x: Floats, at: Floats, window: int, noise: float, period: float, amplitude: float, order: int = ORDER
) -> Rates:
    """Fit a polynomial to the samples in a window around each time: Savitzky and Golay's filter where steps are equal.

    Samples may be missing or unequally spaced. At an end the window keeps its size and moves off centre. The errors comprise
    the noise and what the polynomial misses of an oscillation of the given period and amplitude.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times [s] and the signal.
    at : shape ``(S,)``
        Times at which to evaluate [s].
    window
        Odd number of samples that the polynomials span.
    noise
        Standard deviation of a sample.
    period, amplitude
        Oscillation from which the error of truncation is estimated.
    order : default ORDER
        Order of the polynomials.

    Returns
    -------
    Rates
        The signal and its first two derivatives at ``at``; NaN where too many samples are missing.

    References
    ----------
    Savitzky and Golay, Anal. Chem. 36, 1627 (1964).
    """
    value, error = np.full((3, len(at)), np.nan), np.full((3, len(at)), np.nan)
    off = np.full(len(at), np.nan)
    reach = 0.5 * (window - 1) * float(np.median(np.diff(t))) * 1.0001
    omega = 2 * np.pi / period
    known: dict[bytes, tuple[Floats, Floats]] = {}
    for i, now in enumerate(at):
        low, high = np.searchsorted(t, [now - reach, now + reach])
        if high - low < window:  # at an end, or where samples are missing: the nearest ones, at most a window away
            low, high = max(0, high - window), min(len(t), low + window)
            near = np.argsort(np.abs(t[low:high] - now), kind="stable")[:window] + low
            near = np.sort(near[np.abs(t[near] - now) <= 2 * reach])
            if len(near) < max(0.7 * window, order + 1):
                continue
        else:
            near = np.arange(low, high)
        u = (t[near] - now) / reach
        key = np.round(u, 6).tobytes()
        if key not in known:
            if len(known) > 1000:
                known.clear()
            weights = np.linalg.pinv(np.vander(u, order + 1, increasing=True))[:3]
            weights *= (np.array([factorial(k) for k in range(3)]) / reach ** np.arange(3))[:, None]
            gain = weights @ np.exp(1j * omega * u * reach)
            missed = amplitude * np.abs(gain - (1j * omega) ** np.arange(3)) / np.sqrt(2)
            known[key] = weights, np.sqrt((noise**2) * (weights**2).sum(axis=1) + missed**2)
        weights, error[:, i] = known[key]
        value[:, i] = weights @ x[near]
        off[i] = abs(float(u.mean())) / 2
    return Rates(value, error, off)


def half_period(t: Floats, period: float, order: int = ORDER) -> int:
    """Return an odd number of samples that spans about half of a period and suffices for the order.

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times [s].
    period
        Period [s].
    order : default ORDER
        Order of the polynomials.
    """
    half = period / 2 / float(np.median(np.diff(t)))
    return max(2 * round((half - 1) / 2) + 1, order + 2 - order % 2)


def harmonic_rates(t: Floats, x: Floats, period: float) -> Floats:
    """Fit harmonics in windows of three periods, as a check on the other rates.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times [s] and the angles.
    period
        Period [s].

    Returns
    -------
    shape ``(3, T)``
        The angle and its first two derivatives; NaN where a window holds too few samples.
    """
    value = np.full((3, len(t)), np.nan)
    omega = 2 * np.pi / period
    hop = 0.5 * period
    edges = np.arange(t[0], t[-1] + hop, hop)
    for left in edges:
        inside = (t >= left) & (t < left + hop)
        if not inside.any():
            continue
        middle = float(np.clip(left + hop / 2, t[0] + WINDOW_PERIODS * period / 2, t[-1] - WINDOW_PERIODS * period / 2))
        if t[-1] - t[0] < WINDOW_PERIODS * period:
            middle = float(t[0] + t[-1]) / 2
        near = np.abs(t - middle) <= WINDOW_PERIODS * period / 2 * 1.0001
        matrix = _harmonics(t[near] - middle, omega, period)[0]
        if len(matrix) < 1.5 * matrix.shape[1]:
            continue
        fit = np.linalg.lstsq(matrix, x[near], rcond=None)[0]
        value[:, inside] = np.stack([m @ fit for m in _harmonics(t[inside] - middle, omega, period)])
    return value


def jitter(t: Floats, x: Floats, period: float) -> float:
    """Estimate the noise of an angle from the residuals of `harmonic_rates`, per degree of freedom.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times [s] and the angles.
    period
        Period [s].
    """
    rest = x - harmonic_rates(t, x, period)[0]
    rest = rest[np.isfinite(rest)]
    if not len(rest):
        return 0.0
    free = 2 * HARMONICS + 4
    per_window = min(len(x), WINDOW_PERIODS * period / max(float(np.median(np.diff(t))), 1e-12))
    return float(np.sqrt(np.mean(rest**2) * per_window / max(per_window - free, 1)))


def _harmonics(tau: Floats, omega: float, period: float) -> tuple[Floats, Floats, Floats]:
    """Return columns of a drifting centre, harmonics and a growing first harmonic, and their first and second derivatives."""
    one, zero = np.ones_like(tau), np.zeros_like(tau)
    values, first, second = [one, tau], [zero, one], [zero, zero]
    for k in range(1, HARMONICS + 1):
        w = k * omega
        c, s = np.cos(w * tau), np.sin(w * tau)
        values += [c, s]
        first += [-w * s, w * c]
        second += [-w * w * c, -w * w * s]
        if k == 1:
            values += [tau * c, tau * s]
            first += [c - w * tau * s, s + w * tau * c]
            second += [-2 * w * s - w * w * tau * c, 2 * w * c - w * w * tau * s]
    return np.stack(values, 1), np.stack(first, 1), np.stack(second, 1)
