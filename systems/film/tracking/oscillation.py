"""The parameters of an oscillation, fitted to a whole recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.signal import periodogram

from systems.film.tracking.arrays import Floats
from systems.film.tracking.noise import alikeness

HARMONICS = 3


@dataclass(frozen=True)
class Oscillation:
    """A decaying oscillation about a drifting centre, fitted to a whole recording.

    Errors are standard errors that account for the correlation of residuals in time.

    Attributes
    ----------
    period, period_error : float
        Period [s].
    amplitude, amplitude_error : float
        Amplitude at the first time, half of the range of a cycle.
    decay, decay_error : float
        Rate at which the amplitude decays [1/s].
    centre : float
        Centre of the swing at ``middle``.
    drift, drift_error : float
        Velocity of the centre.
    residual : float
        RMS of the residuals.
    middle : float
        Time from which decay, drift and phases count.
    waves : tuple of complex
        Complex amplitudes of the harmonics at ``middle``.
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
        """Return the oscillation about its centre and its first two derivatives.

        Parameters
        ----------
        t : shape ``(T,)``
            Times [s].

        Returns
        -------
        shape ``(3, T)``
            Oscillation, first and second derivative.
        """
        tau = t - self.middle
        value = np.zeros((3, len(t)))
        for k, wave in enumerate(self.waves, start=1):
            omega = 2 * np.pi * k / self.period
            harmonic = wave * np.exp(_growth(-self.decay, tau) + 1j * omega * tau)
            value += [(harmonic * (1j * omega - self.decay) ** order).real for order in range(3)]
        return value


def oscillation(t: Floats, x: Floats) -> Oscillation:
    r"""Fit a decaying oscillation with three harmonics about a line.

    .. math:: x = c + d t + e^{-\gamma t} \sum_k a_k \cos k \omega t + b_k \sin k \omega t

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times [s].
    x : shape ``(T,)``
        The signal.

    Returns
    -------
    Oscillation
        Its parameters with their errors.
    """
    tau = t - t.mean()
    span, step = float(np.ptp(t)), float(np.median(np.diff(t)))
    # start from the frequency of the detrended signal, so that the fit confuses neither line and swing nor swing and line
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
    waves = tuple(complex(solution[k], -solution[k + 1]) for k in range(2, 2 + 2 * HARMONICS, 2))
    turns = np.exp(1j * np.linspace(0, 2 * np.pi, 720))
    cycle = np.real(sum(wave * turns**k for k, wave in enumerate(waves, start=1)))
    return Oscillation(
        period=period,
        period_error=period / omega * float(np.sqrt(covariance[-2, -2])),
        amplitude=float(np.ptp(cycle)) / 2 * growth,
        amplitude_error=growth * float(np.sqrt(gradient @ covariance @ gradient)),
        decay=gamma,
        decay_error=float(np.sqrt(covariance[-1, -1])),
        centre=float(solution[0]),
        drift=float(solution[1] / span),
        drift_error=float(np.sqrt(covariance[1, 1])) / span,
        residual=float(np.sqrt(noise)),
        middle=float(t.mean()),
        waves=waves,
    )


def _growth(rate: float, tau: Floats) -> Floats:
    """Return the exponent of an envelope, clipped to avoid overflow."""
    return np.clip(rate * tau, -30, 30)
