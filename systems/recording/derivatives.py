"""Differentiation of recordings: intervals between gaps, and derivatives without lag."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import periodogram, savgol_coeffs, savgol_filter

from systems.errors import InputError

LARGEST_JITTER = 0.1  # in steps; with more jitter, a filter for equal steps becomes inaccurate
WORST = 2.0  # largest growth of noise beside gaps, relative to a complete window; beyond it, no derivative is given

Floats = NDArray[np.float64]


def stretches(t: Floats, gap: float) -> list[slice]:
    """Split times into intervals without a gap.

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times.
    gap : float
        Longest step within an interval, in median steps.

    Returns
    -------
    list of slice
        Consecutive intervals.
    """
    if len(t) < 2:
        return [slice(0, len(t))]
    steps = np.diff(t)
    ends = np.flatnonzero(steps > gap * np.median(steps)) + 1
    return [slice(int(a), int(b)) for a, b in zip([0, *ends], [*ends, len(t)], strict=True)]


def dominant_period(x: Floats) -> float:
    """Return the period of the strongest oscillation in ``x``, in samples."""
    largest = np.abs(x).max()
    frequency, power = periodogram(x / largest if largest else x, detrend="linear", nfft=8 * len(x))
    return float(1 / frequency[1:][np.argmax(power[1:])])


def half_period_window(x: Floats, order: int) -> int:
    """Return an odd window of about half of the dominant period of ``x``, large enough for the order, in samples."""
    half = dominant_period(x) / 2
    return max(2 * round((half - 1) / 2) + 1, order + 1 + order % 2)


def check_filter(window: int, order: int) -> None:
    """Raise InputError unless a filter with this window and order has no lag and a second derivative."""
    if order < 2:
        raise InputError(f"order must be at least 2 for a second derivative, not {order}")
    if window % 2 == 0 or window <= order:
        raise InputError(f"window must be an odd number of samples larger than order={order}, not {window}")


def savitzky_golay(t: Floats, x: Floats, derivative: int, window: int, order: int) -> Floats:
    """Filter a signal or its derivative without phase lag, by fitting a polynomial in a window around each sample.

    Parameters
    ----------
    t : shape ``(T,)``
        Times with equal steps.
    x : shape ``(T,)``
        Signal.
    derivative : int
        Order of the derivative; 0 returns the smoothed signal.
    window : int
        Number of samples in the window, which must be odd.
    order : int
        Order of the polynomials.

    Returns
    -------
    ndarray, shape ``(T,)``
        Filtered signal or its derivative.

    Raises
    ------
    InputError
        If the steps are unequal, or if there are fewer samples than the window has.

    References
    ----------
    Savitzky and Golay, Anal. Chem. 36, 1627 (1964).
    """
    if len(t) < window:
        raise InputError(too_short(len(t), window))
    step = _step(t, np.arange(len(t)))
    return np.asarray(savgol_filter(x, window, order, deriv=derivative, delta=step))


def bridged_derivatives(t: Floats, x: Floats, window: int, order: int) -> Floats:
    """Return the filtered signal and its first two derivatives. A few samples may be missing.

    For a sample with a complete window, this is the filter of `savitzky_golay`, with less rounding error for a large offset.
    If samples are missing in the window, the polynomial is fitted to the others, unless this would amplify noise more than
    `WORST` times.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Times with equal steps, some of which may be missing, and the signal.
    window : int
        Number of samples in the window, which must be odd.
    order : int
        Order of the polynomials.

    Returns
    -------
    ndarray, shape ``(3, T)``
        Signal, first and second derivative. They are NaN within half a window of both ends, and where too many samples are
        missing.

    Raises
    ------
    InputError
        If the given times do not lie on equal steps.
    """
    place = places(t)
    step = _step(t, place)
    half, size = window // 2, int(place[-1]) + 1
    result = np.full((3, len(t)), np.nan)
    if size < window:
        return result
    middle = x.mean()  # rounding grows with the signal, so a large offset is added afterwards
    per_step = 1 / step ** np.arange(3)
    even, there = np.zeros(size), np.zeros(size, bool)
    even[place], there[place] = x - middle, True
    inner = np.flatnonzero((place >= half) & (place < size - half))
    whole = np.convolve(there, np.ones(window, int), "same")[place] == window
    clean = inner[whole[inner]]
    given = np.zeros(len(t), bool)
    given[clean] = True
    usual = _weights(np.arange(-half, half + 1), order)
    for values, weights in zip(result, usual, strict=True):
        values[clean] = np.correlate(even, weights, "valid")[place[clean] - half]
    known: dict[bytes, Floats] = {}
    for row in inner[~whole[inner]]:
        seen = np.flatnonzero(there[place[row] - half : place[row] + half + 1])
        key = seen.tobytes()
        if key not in known:
            enough = len(seen) > order
            known[key] = _weights(seen - half, order) if enough else np.full((3, len(seen)), np.nan)
            if (_noise(known[key]) > WORST * _noise(usual)).any():
                known[key] = np.full_like(known[key], np.nan)
        given[row] = np.isfinite(known[key]).all()
        result[:, row] = known[key] @ even[place[row] - half + seen]
    result *= per_step[:, None]
    result[0] += middle
    if not np.isfinite(result[:, given]).all():
        raise InputError("the values are too large, or the time steps too short, for finite derivatives; use other units")
    return result


def places(t: Floats) -> NDArray[np.intp]:
    """Return the position of each time in median steps, starting from 0 and rounded from one time to the next."""
    if len(t) < 2:
        return np.zeros(len(t), np.intp)
    steps = np.diff(t)
    return np.concatenate([[0], np.cumsum(np.maximum(np.rint(steps / np.median(steps)), 1))]).astype(np.intp)


def too_short(samples: int, window: int) -> str:
    """Return the message for a recording that is shorter than the window of the filter."""
    return f"{samples} consecutive samples are fewer than the filter's window of {window}; pass a smaller window"


def _step(t: Floats, place: NDArray[np.intp]) -> float:
    """Return the mean step. Raises InputError if a time deviates from its position."""
    step = float((t[-1] - t[0]) / max(place[-1], 1))
    if np.abs(t - t[0] - place * step).max() > LARGEST_JITTER * step:
        raise InputError(
            "the times are not equally spaced, as a Savitzky-Golay filter requires; resample them first, or derive velocities "
            "by Orbit.of(table).with_velocities()"
        )
    return step


def _weights(places: NDArray[np.intp], order: int) -> Floats:
    """Return weights ``(3, places)`` for the value and first two derivatives per step at 0 of a fitted polynomial."""
    reach = float(np.abs(places).max())
    powers = np.linalg.pinv(np.vander(places / reach, order + 1, increasing=True))[:3]
    return np.asarray(powers * np.array([factorial(k) / reach**k for k in range(3)])[:, None])


def _noise(weights: Floats) -> Floats:
    """Return the factor by which each weighted sum amplifies white noise."""
    return np.asarray(np.linalg.norm(weights, axis=1))


def acceleration_gain(window: int, order: int, period: float) -> float:
    """Return the fraction of an oscillation's amplitude that the second derivative of the filter retains.

    It is below 1, because the polynomials flatten the peaks. The period is in samples. The frequency of a forecast that is
    learned from such accelerations is too low by the square root of this factor.
    """
    angle = 2 * np.pi / period * (np.arange(window) - window // 2)
    return float(savgol_coeffs(window, order, deriv=2, use="dot") @ np.cos(angle) / -((2 * np.pi / period) ** 2))
