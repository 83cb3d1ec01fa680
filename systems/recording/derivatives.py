"""Differentiate what was recorded: stretches between gaps, and derivatives without lag."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import periodogram, savgol_coeffs, savgol_filter

from systems.errors import InputError

LARGEST_JITTER = 0.1  # in steps: beyond it, a filter that takes equal steps for granted errs visibly
WORST = 2.0  # usual errors of the derivatives: beside holes where the noise grows by more, none is given

Floats = NDArray[np.float64]


def stretches(t: Floats, gap: float) -> list[slice]:
    """Where times run without a gap, that is, without a step longer than ``gap`` median steps."""
    if len(t) < 2:
        return [slice(0, len(t))]
    steps = np.diff(t)
    ends = np.flatnonzero(steps > gap * np.median(steps)) + 1
    return [slice(int(a), int(b)) for a, b in zip([0, *ends], [*ends, len(t)], strict=True)]


def dominant_period(x: Floats) -> float:
    """The period of the strongest oscillation in ``x``, in samples."""
    largest = np.abs(x).max()
    frequency, power = periodogram(x / largest if largest else x, detrend="linear", nfft=8 * len(x))
    return float(1 / frequency[1:][np.argmax(power[1:])])


def half_period_window(x: Floats, order: int) -> int:
    """An odd number of samples spanning about half of the dominant period of ``x``, and enough for the order."""
    half = dominant_period(x) / 2
    return max(2 * round((half - 1) / 2) + 1, order + 1 + order % 2)


def check_filter(window: int, order: int) -> None:
    """Raise InputError unless a filter of that window and order has no lag and a second derivative."""
    if order < 2:
        raise InputError(f"order must be at least 2, for a second derivative, not {order}")
    if window % 2 == 0 or window <= order:
        raise InputError(f"window must be an odd number of samples above the order {order}, not {window}")


def savitzky_golay(t: Floats, x: Floats, derivative: int, window: int, order: int) -> Floats:
    """The filtered signal or a derivative of it, without phase lag: a polynomial fitted in a window around each sample.

    t, x: ``(T,)`` at equal steps. Raises InputError for unequal steps, or fewer samples than the window.
    Source: Savitzky and Golay, Anal. Chem. 36, 1627 (1964).
    """
    if len(t) < window:
        raise InputError(too_short(len(t), window))
    step = _step(t, np.arange(len(t)))
    return np.asarray(savgol_filter(x, window, order, deriv=derivative, delta=step))


def bridged_derivatives(t: Floats, x: Floats, window: int, order: int) -> Floats:
    """The filtered signal and its first two derivatives, where a few samples may be missing.

    Where the window of a sample is whole, this is the filter of `savitzky_golay`, with more digits for a large range. Where
    samples are missing in it, the polynomial is fitted to the others, unless the noise would grow more than `WORST` times.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Times at equal steps, of which some may be missing, and the signal.
    window
        Odd number of steps that the polynomials span.
    order
        Order of the polynomials.

    Returns
    -------
    shape ``(3, T)``
        Signal, first and second derivative; NaN at both ends, where the window hangs over, and where too much is missing.

    Raises
    ------
    InputError
        If the times that are there do not lie on equal steps.
    """
    place = places(t)
    step = _step(t, place)
    half, size = window // 2, int(place[-1]) + 1
    result = np.full((3, len(t)), np.nan)
    if size < window:
        return result
    middle = x.mean()  # the filter's rounding grows with the signal, so that a large offset is added afterwards
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
        raise InputError("values so large, or steps of time so short, have no finite derivatives; use other units")
    return result


def places(t: Floats) -> NDArray[np.intp]:
    """The number of the usual step at which each time lies, from 0, counted from one time to the next."""
    if len(t) < 2:
        return np.zeros(len(t), np.intp)
    steps = np.diff(t)
    return np.concatenate([[0], np.cumsum(np.maximum(np.rint(steps / np.median(steps)), 1))]).astype(np.intp)


def too_short(samples: int, window: int) -> str:
    """The sentence for a recording that the filter is too long for."""
    return f"{samples} samples in a row are fewer than the filter's window of {window}; set window"


def _step(t: Floats, place: NDArray[np.intp]) -> float:
    """The mean step. Raises InputError where a time is not at its place."""
    step = float((t[-1] - t[0]) / max(place[-1], 1))
    if np.abs(t - t[0] - place * step).max() > LARGEST_JITTER * step:
        raise InputError("the times are not equally spaced, which a Savitzky-Golay filter needs; resample them first")
    return step


def _weights(places: NDArray[np.intp], order: int) -> Floats:
    """What a polynomial fitted at those places gives at 0, with its first two derivatives per step, ``(3, places)``."""
    reach = float(np.abs(places).max())
    powers = np.linalg.pinv(np.vander(places / reach, order + 1, increasing=True))[:3]
    return np.asarray(powers * np.array([factorial(k) / reach**k for k in range(3)])[:, None])


def _noise(weights: Floats) -> Floats:
    """By how much each of the weighted sums amplifies white noise."""
    return np.asarray(np.linalg.norm(weights, axis=1))


def acceleration_gain(window: int, order: int, period: float) -> float:
    """What the second derivative keeps of an oscillation, in amplitude; below 1, for a polynomial cuts the peaks.

    period: in samples. A forecast learned from such accelerations swings slow by the square root of it.
    """
    angle = 2 * np.pi / period * (np.arange(window) - window // 2)
    return float(savgol_coeffs(window, order, deriv=2, use="dot") @ np.cos(angle) / -((2 * np.pi / period) ** 2))
