"""Swings so wide that their period depends on the amplitude, fitted by the equation of a damped pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import BPoly
from scipy.optimize import least_squares
from scipy.special import ellipk

from systems.film.tracking.arrays import Floats
from systems.film.tracking.noise import alikeness

GROWTH = 2.0  # factor by which the fitted stretch grows, so that each fit starts close to its solution
MOST_PERIODS = 100  # a longer film takes too long, and its slow changes decide more than its equation
GROWING = 0.05  # of omega_0, at most: the rate at which a driven swing may grow
ACCURACY = 1e-8
FAR = 1e3  # radians
CALLS = 1500  # of the equation per period: five times those that a swing needs
HOPELESS = 0.5  # of the motion: angles that the equation misses by more do not obey it
MOST_STEPS = 20  # of each fit: a motion that obeys the equation takes fewer than ten


@dataclass(frozen=True)
class PendulumMotion:
    r"""A solution of the equation of a pendulum with linear and quadratic damping.

    .. math:: \ddot\theta = -\omega_0^2 \sin\theta - 2 \gamma \dot\theta - \beta |\dot\theta| \dot\theta

    It has the attributes of `~systems.film.tracking.oscillation.Oscillation` with the same meaning, and errors that account
    for the correlation of residuals in time.

    Attributes
    ----------
    t : shape ``(K,)``
        Times of the solver's steps [s].
    solution : shape ``(K, 3)``
        The angle about the direction of rest and its first two derivatives at these times.
    small_period, small_period_error : float
        Period of small swings, 2 pi / omega_0 [s].
    period, period_error : float
        Period at the mean amplitude, or of small swings if the pendulum turns over [s].
    amplitude, amplitude_error : float
        Amplitude at the first time [rad]; pi if the pendulum turns over.
    decay, decay_error : float
        Rate at which the mean amplitude decays [1/s], by equivalent linearization.
    mean_amplitude : float
        RMS over time of the amplitude [rad].
    centre : float
        Direction of rest [rad].
    residual : float
        RMS of the residuals [rad].
    middle : float
        The first time.
    parameters : shape ``(6,)``
        The initial angle and rate, omega_0, gamma, the direction of rest, and beta.
    """

    t: Floats
    solution: Floats
    small_period: float
    small_period_error: float
    period: float
    period_error: float
    amplitude: float
    amplitude_error: float
    decay: float
    decay_error: float
    mean_amplitude: float
    centre: float
    residual: float
    middle: float
    parameters: Floats
    drift: float = 0.0
    drift_error: float = 0.0

    def swing(self, t: Floats) -> Floats:
        """Return the angle about the direction of rest and its first two derivatives, ``(3, T)``, at times ``(T,)``."""
        curve = BPoly.from_derivatives(self.t, self.solution)
        value = np.stack([curve(t), curve.derivative()(t), curve.derivative(2)(t)])
        before = t < self.t[0]
        if before.any():
            angle, rate = (x[:0:-1] for x in _course(self.parameters, np.append(self.t[0], t[before][::-1])))
            value[:, before] = _solution(self.parameters, angle, rate)
        return value


def stretched(amplitude: float) -> float:
    """Return the factor by which the period of a pendulum of a given amplitude [rad] exceeds that of small swings."""
    return float(2 / pi * ellipk(np.sin(min(amplitude, pi - 1e-6) / 2) ** 2))


def pendulum_motion(t: Floats, x: Floats, start: PendulumMotion | None = None) -> PendulumMotion | None:
    """Fit the equation of a damped pendulum to angles.

    Parameters
    ----------
    t : shape ``(T,)``
        Increasing times [s].
    x : shape ``(T,)``
        Angles without jumps [rad].
    start : optional
        A motion that nearly fits.

    Returns
    -------
    PendulumMotion or None
        The best fit; None if there is none, as where the angles do not pull back to any direction.
    """
    if start is None:
        first = _guess(t, x)
        if first is None:
            return None
    else:
        angle, rate, _ = start.swing(t[:1])[:, 0]
        first = np.array([angle + start.centre, rate, *start.parameters[2:]])
    period = 2 * pi / first[2]
    if t[-1] - t[0] > MOST_PERIODS * period:
        return None

    size = max(abs(float(first[2])), 1e-9)
    scale = np.array([1, size, size, size, 1, 1])
    low = np.array([-np.inf, -np.inf, size / 3, -GROWING * size, -np.inf, -GROWING])
    high = np.array([np.inf, np.inf, 3 * size, 2 * size, np.inf, 2])
    reach = t[-1] - t[0] if start is not None else 2 * period
    while True:
        near = t <= t[0] + reach
        fit = least_squares(
            lambda p, near=near: _course(p, t[near])[0] - x[near],
            first,
            jac=lambda p, near=near: _slopes(p, t[near]),
            x_scale=scale,
            bounds=(np.minimum(low, first), np.maximum(high, first)),
            loss="soft_l1" if not near.all() else "linear",
            max_nfev=MOST_STEPS,
        )
        first = fit.x
        if np.sqrt(np.mean(fit.fun**2)) > HOPELESS * x[near].std():
            return None
        if near.all():
            break
        reach *= GROWTH
    return _motion(t, fit.x, fit.fun, fit.jac)


def _motion(t: Floats, p: Floats, miss: Floats, jacobian: Floats) -> PendulumMotion | None:
    """Return the motion of fitted parameters with their errors."""
    omega, gamma, centre, beta = (float(value) for value in p[2:])
    noise = float(miss @ miss) / max(len(miss) - len(p), 1)
    covariance = noise * alikeness(miss) * np.linalg.pinv(jacobian.T @ jacobian)
    small = 2 * pi / max(omega, 1e-300)
    grid = np.unique(np.concatenate([np.linspace(t[0], t[-1], max(int((t[-1] - t[0]) / small * 64), 16)), t]))
    theta, rate = _course(p, grid)
    theta = theta - centre
    if not (omega > 0 and np.isfinite(theta).all()):
        return None
    envelope = _turning_point(theta, rate, omega)
    mean, size = float(np.sqrt(np.mean(envelope**2))), float(envelope[0])
    steps = 1e-6 * np.array([1, omega, omega])
    state = np.array([theta[0], rate[0], omega])
    by_state = [
        float(_turning_point(*(state + step)) - _turning_point(*(state - step))) / 2 / step.sum() for step in np.diag(steps)
    ]
    slope = np.array([*by_state, 0, -by_state[0], 0])
    damping = np.array([0, 0, 0, 1, 0, 4 / (3 * pi) * omega * mean])
    relative = float(np.sqrt(covariance[2, 2])) / omega
    factor = stretched(mean) if size < pi else 1.0
    return PendulumMotion(
        t=grid,
        solution=_solution(p, theta + centre, rate).T,
        small_period=small,
        small_period_error=small * relative,
        period=small * factor,
        period_error=small * factor * relative,
        amplitude=size,
        amplitude_error=float(np.sqrt(slope @ covariance @ slope)),
        decay=gamma + float(damping[-1]) * beta,
        decay_error=float(np.sqrt(damping @ covariance @ damping)),
        mean_amplitude=mean,
        centre=centre,
        residual=float(np.sqrt(noise)),
        middle=float(t[0]),
        parameters=p,
    )


def _solution(p: Floats, angle: Floats, rate: Floats) -> Floats:
    """Return the angle about the direction of rest and its first two derivatives, ``(3, T)``."""
    _, _, omega, gamma, centre, beta = p
    theta = angle - centre
    return np.stack([theta, rate, -(omega**2) * np.sin(theta) - (2 * gamma + beta * np.abs(rate)) * rate])


def _turning_point(theta: Floats, rate: Floats, omega: float) -> Floats:
    """Return the angle at which a state without damping turns back, or pi if it turns over."""
    return np.asarray(np.arccos(np.maximum(np.cos(theta) - rate**2 / (2 * omega**2), -1)))


def _course(p: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Return the angles and their rates, ``(..., T)``, at times that begin with that of the initial state.

    The parameters ``(..., 6)`` are the initial angle and rate, omega_0, gamma, the direction of rest, and beta.
    """
    angle, rate, omega, gamma, centre, beta = np.atleast_2d(p).T
    n = len(angle)
    left = int(CALLS * (2 + (t[-1] - t[0]) * np.abs(omega).max() / (2 * pi)))

    def slope(_: float, z: Floats) -> Floats:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooFastError
        x, v = z[:n], z[n:]
        return np.concatenate([v, -omega * omega * np.sin(x - centre) - (2 * gamma + beta * np.abs(v)) * v])

    shape = (*np.shape(p)[:-1], len(t))
    try:
        solved = solve_ivp(slope, (t[0], t[-1]), np.concatenate([angle, rate]), "DOP853", t, rtol=ACCURACY, atol=ACCURACY)
    except _TooFastError:
        return np.full(shape, FAR), np.zeros(shape)
    if solved.y.shape[1] != len(t):
        return np.full(shape, FAR), np.zeros(shape)
    return solved.y[:n].reshape(shape), solved.y[n:].reshape(shape)


class _TooFastError(Exception):
    """A solution grows without bound."""


def _slopes(p: Floats, t: Floats) -> Floats:
    """Return the derivatives of the angles by the parameters, ``(T, 6)``, from solutions side by side."""
    steps = np.diag(1e-6 * np.array([1, p[2], p[2], p[2], 1, 1]))
    angles = _course(np.concatenate([p + steps, p - steps]), t)[0]
    return np.asarray((angles[:6] - angles[6:]).T / (2 * np.diag(steps)))


def _guess(t: Floats, x: Floats) -> Floats | None:
    """Estimate the parameters of `_course`, from integrals of the equation with smooth weights.

    By parts, the integrals contain the angle but not its derivatives, which would amplify the noise.
    """
    z = np.exp(1j * x)
    step = float(np.median(np.diff(t)))
    tempo = np.abs(np.diff(z)) / np.diff(t)
    scale = float(np.abs(z - z.mean()).std() + np.abs(z - z.mean()).mean()) / max(float(np.sqrt(np.mean(tempo**2))), 1e-12)
    half = max(1.5 * scale, 4 * step)  # half of a window of about half a period
    rows, values = [], []
    for middle in np.arange(t[0] + half, t[-1] - half, max(half / 4, (t[-1] - t[0]) / 2000)):
        near = np.flatnonzero(np.abs(t - middle) < half)
        if len(near) < max(6, 0.8 * 2 * half / step):
            continue
        s = (t[near] - middle) / half
        w = np.gradient(t[near])
        bump = (1 - s * s) ** 3
        slope = -6 * s * (1 - s * s) ** 2 / half
        curve = (-6 * (1 - s * s) ** 2 + 24 * s * s * (1 - s * s)) / half**2
        rows.append([-(w * bump * np.sin(x[near])).sum(), (w * bump * np.cos(x[near])).sum(), 2 * (w * slope * x[near]).sum()])
        values.append((w * curve * x[near]).sum())
    if len(rows) < 6:
        return None
    pull, side, gamma = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    omega = float(np.sqrt(np.hypot(pull, side)))
    if not omega > 0:
        return None
    centre = float(np.arctan2(side, pull))
    centre += 2 * pi * round((float(x[0]) - centre) / (2 * pi))  # so that the first angle is within half a turn
    begin = t <= t[0] + half
    tau = t[begin] - t[0]
    order = min(3, int(begin.sum()) - 1)
    first = np.polynomial.polynomial.polyfit(tau, x[begin], order)
    return np.array([first[0], first[1] if order else 0.0, omega, max(float(gamma), 0.0), centre, 0.0])
