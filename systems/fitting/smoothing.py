"""Smooth values, rates and noise of measured signals with any times, by local polynomials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DEGREE = 4
WIDTHS = (7, 9, 13, 19, 27, 39, 57, 81, 117, 171, 251, 371)  # of windows, in samples
TRIED = 300  # samples at which windows are compared
AT_ONCE = 256  # windows that are solved together

Array = np.ndarray


@dataclass(frozen=True)
class Smooth:
    """A smoothed signal.

    Parameters
    ----------
    value, rate, rate_error : shape ``(T,)``
        Values, time derivatives and their standard errors.
    noise : float
        Standard deviation of the noise.
    width : int
        Number of samples in a window.
    """

    value: Array
    rate: Array
    rate_error: Array
    noise: float
    width: int


def smooth(t: Array, x: Array, at: Array) -> Smooth:
    """Smooth a signal by polynomials of degree 4 in windows, whose width is chosen by cross-validation.

    Parameters
    ----------
    t, x : shape ``(M,)``
        Increasing or decreasing times, and the measured values.
    at : shape ``(T,)``
        Times at which the result is wanted.

    Returns
    -------
    Smooth
        Values and rates at these times. With fewer than seven samples, values are interpolated linearly.

    References
    ----------
    Fan and Gijbels, *Local Polynomial Modelling and Its Applications*, Chapman and Hall (1996), chapters 3 and 4.
    """
    if len(t) < WIDTHS[0]:
        order = np.argsort(t)
        value = np.interp(at, t[order], x[order])
        slopes = np.gradient(x, t) if len(t) > 1 else np.zeros_like(x)
        spread = float(np.std(x)) or float(np.abs(x).max()) or 1.0
        rate = np.interp(at, t[order], slopes[order])
        return Smooth(value, rate, np.full(len(at), np.abs(slopes).max() or 1.0), 0.1 * spread, len(t))
    tried = np.unique(np.linspace(0, len(t) - 1, TRIED).astype(int))
    best = (np.inf, 0.0, WIDTHS[0])
    for width in WIDTHS:
        if width > len(t):
            break
        value, _, weight, _ = _local(t, x, t[tried], width)
        left = x[tried] - value
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.mean((left / (1 - weight)) ** 2)
        if error < best[0]:
            best = error, float(np.sqrt(np.mean(left**2 / (1 - weight)))), width
    _, noise, width = best
    value, rate, _, gain = _local(t, x, at, width)
    return Smooth(value, rate, max(noise, 1e-12 * float(np.abs(x).max()) or 1.0) * gain, noise, width)


def _local(t: Array, x: Array, at: Array, width: int) -> tuple[Array, Array, Array, Array]:
    """Return the value, its own weight in it, the rate and the factor by which it multiplies noise, at some times."""
    parts = [_windows(t, x, at[i : i + AT_ONCE], width) for i in range(0, len(at), AT_ONCE)]
    value, rate, weight, gain = (np.concatenate(part) for part in zip(*parts, strict=True))
    return value, rate, weight, gain


def _windows(t: Array, x: Array, at: Array, width: int) -> tuple[Array, Array, Array, Array]:
    direction = 1 if t[-1] > t[0] else -1
    begin = np.clip(np.searchsorted(direction * t, direction * at) - width // 2, 0, len(t) - width)
    rows = begin[:, None] + np.arange(width)
    offset = t[rows] - at[:, None]
    reach = np.abs(offset).max(1)
    powers = (offset / reach[:, None])[..., None] ** np.arange(DEGREE + 1)
    inverse = np.linalg.pinv(powers.transpose(0, 2, 1) @ powers, hermitian=True)
    middle = x[rows].mean(1)
    found = np.einsum("nij,nwj,nw->ni", inverse, powers, x[rows] - middle[:, None])
    return found[:, 0] + middle, found[:, 1] / reach, inverse[:, 0, 0], np.sqrt(inverse[:, 1, 1]) / reach
