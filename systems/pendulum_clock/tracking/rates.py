"""Velocities and accelerations without lag, and what an oscillation is like on the whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from scipy.optimize import least_squares
from scipy.signal import correlate, periodogram

from systems.pendulum_clock.tracking.markers import Floats

ORDER = 5  # of the local polynomials, as for recordings
HARMONICS = 3
WINDOW_PERIODS = 3.0  # of the harmonic check
CENTRED = 0.06  # of a window: within it a fit has no lag to speak of


@dataclass(frozen=True)
class Oscillation:
    """A swing fitted over all of a recording: about ``centre``, which drifts, with a decaying amplitude.

    amplitude: at the first time. decay: its rate. Errors are standard errors, which count how far residuals are alike in time.
    middle, waves: the time about which decay and phases count, and the complex amplitudes of the harmonics there.
    """

    period: float
    period_error: float
    amplitude: float
    amplitude_error: float
    decay: float
    decay_error: float
    centre: float
    drift: float
    drift_error: float
    residual: float
    middle: float
    waves: tuple[complex, ...]

    def swing(self, t: Floats) -> Floats:
        """The oscillation without its line, and its two derivatives, ``(3, T)``."""
        tau = t - self.middle
        value = np.zeros((3, len(t)))
        for k, wave in enumerate(self.waves, start=1):
            omega = 2 * np.pi * k / self.period
            harmonic = wave * np.exp(_growth(-self.decay, tau) + 1j * omega * tau)
            value += [(harmonic * (1j * omega - self.decay) ** order).real for order in range(3)]
        return value


@dataclass(frozen=True)
class Rates:
    """The smoothed angle and its two derivatives ``(3, T)``, the errors of each, and how far off centre the fits were."""

    value: Floats
    error: Floats
    off_centre: Floats


def oscillation(t: Floats, x: Floats) -> Oscillation:
    r"""The best decaying oscillation, with three harmonics, about a line.

    .. math:: x = c + d t + e^{-\gamma t} \sum_k a_k \cos k \omega t + b_k \sin k \omega t
    """
    tau = t - t.mean()
    span, step = float(np.ptp(t)), float(np.median(np.diff(t)))
    # the line must not take the swing for a slope, nor the swing a line: first the frequency, with a line in the fit
    flat = x - np.polyval(np.polyfit(tau, x, 1), tau)
    even = np.linspace(tau[0], tau[-1], max(round(span / step) + 1, 16))
    frequency, power = periodogram(np.interp(even, tau, flat), fs=1 / (even[1] - even[0]), detrend=False, nfft=8 * len(even))
    swings = frequency > 1 / span
    coarse = float(frequency[swings][np.argmax(power[swings])])

    def columns(omega: float, gamma: float) -> Floats:
        envelope = np.exp(_growth(-gamma, tau))
        waves = [envelope * wave(k * omega * tau) for k in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
        return np.stack([np.ones_like(tau), tau / span, *waves], axis=1)

    def miss(p: Floats) -> Floats:
        matrix = columns(p[0], p[1])
        return np.asarray(x - matrix @ np.linalg.lstsq(matrix, x, rcond=None)[0])

    starts = 2 * np.pi * np.array([coarse - 0.25 / span, coarse, coarse + 0.25 / span])
    first = min(starts, key=lambda omega: float((miss(np.array([omega, 0.0])) ** 2).sum()))
    fit = least_squares(miss, [first, 0.0], x_scale=[1 / span, 1 / span], xtol=1e-12, ftol=1e-12)
    omega, gamma = (float(value) for value in fit.x)
    matrix = columns(omega, gamma)
    solution = np.linalg.lstsq(matrix, x, rcond=None)[0]
    residual = x - matrix @ solution
    a, b = solution[2], solution[3]
    size, start = float(np.hypot(a, b)), float(tau[0])
    # all parameters together: the linear ones, omega, gamma
    wave = matrix[:, 2] * a + matrix[:, 3] * b
    turned = matrix[:, 2] * b - matrix[:, 3] * a
    whole = np.column_stack([matrix, tau * turned, -tau * wave])
    dof = max(len(x) - whole.shape[1], 1)
    noise = float((residual**2).sum()) / dof
    covariance = noise * alikeness(residual) * np.linalg.pinv(whole.T @ whole)
    gradient = np.zeros(len(covariance))
    gradient[2:4] = a / max(size, 1e-300), b / max(size, 1e-300)
    gradient[-1] = -size * start
    growth = float(np.exp(-gamma * start))
    period = 2 * np.pi / omega
    return Oscillation(
        period=period,
        period_error=period / omega * float(np.sqrt(covariance[-2, -2])),
        amplitude=size * growth,
        amplitude_error=growth * float(np.sqrt(gradient @ covariance @ gradient)),
        decay=gamma,
        decay_error=float(np.sqrt(covariance[-1, -1])),
        centre=float(solution[0]),
        drift=float(solution[1] / span),
        drift_error=float(np.sqrt(covariance[1, 1])) / span,
        residual=float(np.sqrt(noise)),
        middle=float(t.mean()),
        waves=tuple(complex(solution[k], -solution[k + 1]) for k in range(2, 2 + 2 * HARMONICS, 2)),
    )


def _growth(rate: float, tau: Floats) -> Floats:
    """The exponent of an envelope, within what can be computed."""
    return np.clip(rate * tau, -30, 30)


def smoothed(t: Floats, x: Floats, at: Floats, window: int, noise: float, whole: Oscillation) -> Rates:
    """The angle and its rates at the times asked for: of the whole oscillation, and of local polynomials for what it leaves.

    Polynomials alone flatten a swing by about 1 % of its acceleration. What the oscillation leaves, they flatten too, but of
    that little.
    """
    rest = x - whole.swing(t)[0]
    left = float(np.sqrt(2 * np.mean((rest - rest.mean()) ** 2)))
    smooth = local_polynomials(t, rest, at, window, noise, whole.period, left)
    return Rates(smooth.value + whole.swing(at), smooth.error, smooth.off_centre)


def local_polynomials(
    t: Floats, x: Floats, at: Floats, window: int, noise: float, period: float, amplitude: float, order: int = ORDER
) -> Rates:
    """Polynomials fitted to the samples of a window around each time asked for: Savitzky-Golay's filter for equal steps.

    Samples may be missing or unequally spaced. At an end the window stays whole and moves off centre, which the errors tell:
    they are the noise's share, and what the polynomial misses of an oscillation of that period and amplitude.

    Source: Savitzky and Golay, Anal. Chem. 36, 1627 (1964).
    """
    value, error = np.full((3, len(at)), np.nan), np.full((3, len(at)), np.nan)
    off = np.full(len(at), np.nan)
    reach = 0.5 * (window - 1) * float(np.median(np.diff(t))) * 1.0001
    omega = 2 * np.pi / period
    known: dict[bytes, tuple[Floats, Floats]] = {}
    for i, now in enumerate(at):
        low, high = np.searchsorted(t, [now - reach, now + reach])
        if high - low < window:  # an end, or samples missing: the nearest ones, from no farther than a window away
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
    """An odd number of samples spanning about half of a period, and enough for the order: the default window of recordings."""
    half = period / 2 / float(np.median(np.diff(t)))
    return max(2 * round((half - 1) / 2) + 1, order + 2 - order % 2)


def harmonic_rates(t: Floats, x: Floats, period: float) -> Floats:
    """The angle and its two derivatives ``(3, T)`` from harmonics in windows of three periods: a check on the others."""
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
    """The noise of each angle: the rms of what the harmonics leave, per degree of freedom."""
    rest = x - harmonic_rates(t, x, period)[0]
    rest = rest[np.isfinite(rest)]
    if not len(rest):
        return 0.0
    free = 2 * HARMONICS + 4
    per_window = min(len(x), WINDOW_PERIODS * period / max(float(np.median(np.diff(t))), 1e-12))
    return float(np.sqrt(np.mean(rest**2) * per_window / max(per_window - free, 1)))


def _harmonics(tau: Floats, omega: float, period: float) -> tuple[Floats, Floats, Floats]:
    """Columns of a drifting centre, harmonics, and a growing first harmonic, and their first and second derivatives."""
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


def alikeness(residual: Floats) -> float:
    """How many neighbours in time a residual is alike with: 1 for white noise."""
    power = float((residual**2).sum())
    if power == 0 or len(residual) < 4:
        return 1.0
    r = correlate(residual, residual, method="fft")[len(residual) - 1 :] / power
    r = r[1 : len(residual) // 4]
    below = np.flatnonzero(r < 0.05)
    return float(1 + 2 * r[: below[0] if len(below) else len(r)].sum())
