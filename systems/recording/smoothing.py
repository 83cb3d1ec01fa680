"""Smooth values and derivatives of measured signals at any times, with their errors and the noise of the signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from scipy.optimize import minimize_scalar

from systems.errors import InputError
from systems.recording import per_turn
from systems.recording.kalman_loops import LARGEST, filtered
from systems.recording.kalman_loops import smoothed as smooth_backward

Array = np.ndarray
GIVEN = 3  # derivatives that are returned, including the value
RANGE = (-60.0, 18.0)  # logarithm of the strength in units of the noise and of the step; rounding errors bound it from above
COARSE = 3.0  # step of the first search in this range
ROUNDING = 1e-3  # distance of a spline from the values that rounding errors may cause, relative to their size
SPARSE = 10  # values per turn, below which noise and motion look alike
LARGE = 1e150  # above which squares overflow
GAP = 200  # median steps without a value, across which values say nothing about each other, and rounding errors grow
NEAR = 10  # median steps before the first value and after the last one, in which the spline continues
LOUD = 0.3  # noise, in units of the size of the signal, that is motion if steps are as large as those of few values per turn


@dataclass(frozen=True)
class Smooth:
    """A smoothed signal.

    Parameters
    ----------
    values, errors : shape ``(3, T)``
        The signal, its first and second derivative, and their standard errors. An error is infinite if there are too few
        values for a derivative, which is then zero. More than 10 median steps before the first value or after the last one,
        and as far from them in a gap of more than 200, the signal is the nearest value, with infinite errors.
    noise : float
        Standard deviation of the measured values around the true ones, pooled over all signals. NaN if there are fewer than
        10 values per turn, or jumps between slow motion, which cannot tell noise from motion; the spline then goes through
        the values.
    followed : float
        Part of the noise that the smoothed signal follows, between 0 and 1: the mean leverage of a value on itself.
    """

    values: Array
    errors: Array
    noise: float
    followed: float


def smooth(signals: Sequence[tuple[Array, Array]]) -> list[Smooth]:
    r"""Smooth signals of the same kind, such as one coordinate in several runs, by splines of degree seven.

    The signals are realisations of a process whose fourth derivative is white noise, plus noise of the measurement. The
    expected process given all values is the smoothing spline with the penalty :math:`\int (x'''')^2 dt`, and a Kalman smoother
    computes it, its derivatives and their errors at any times. The ratio of the two noises, which is the stiffness of the
    spline, maximises the likelihood of all signals together.

    Parameters
    ----------
    signals : sequence of (t, x), shapes ``(T,)``
        Increasing or decreasing times, and values, NaN where nothing was measured. Each has at least one value.

    Returns
    -------
    list of Smooth
        One for each signal, at its times.

    Raises
    ------
    InputError
        If a signal has no value, or an infinite one, or if squares of values or times overflow.

    Notes
    -----
    For equal steps and a window of fixed width, `savitzky_golay` is the simpler choice. This estimate needs no width, accepts
    uneven times and gaps, and is honest about the ends, where its errors grow. At 60 samples per turn of a pendulum with one
    percent of noise, the velocity has an error of one percent, and at 20 samples without noise, of 0.04 percent.

    Examples
    --------
    >>> import numpy as np
    >>> from systems.recording import smooth
    >>> random = np.random.default_rng(0)
    >>> t = np.sort(random.uniform(0, 20, 400))
    >>> (found,) = smooth([(t, np.sin(t) + 0.01 * random.normal(size=400))])
    >>> bool(abs(found.noise - 0.01) < 0.001), bool(np.abs(found.values[1] - np.cos(t)).mean() < 0.01)
    (True, True)

    References
    ----------
    Wahba, J. R. Stat. Soc. B 40, 364 (1978), for splines as expectations; Kohn and Ansley, SIAM J. Sci. Stat. Comput. 8, 33
    (1987), for their computation; Rauch, Tung and Striebel, AIAA J. 3, 1445 (1965), for the smoother.
    """
    known = [np.isfinite(x) for _, x in signals]
    if not known or not all(seen.any() for seen in known) or any(np.isinf(x).any() for _, x in signals):
        raise InputError("each signal must have a measured value, and no infinite one; mark what was not measured by NaN")
    steps = np.concatenate([np.abs(np.diff(t[seen])) for (t, _), seen in zip(signals, known, strict=True)])
    step = float(np.median(steps)) if len(steps) else 1.0
    pieces = [(k, part) for k, (t, _) in enumerate(signals) for part in _without_gaps(t, known[k], step)]
    centers = [float(signals[k][1][part][known[k][part]].mean()) for k, part in pieces]
    away = [
        np.where(known[k][part], signals[k][1][part] - center, 0.0) for (k, part), center in zip(pieces, centers, strict=True)
    ]
    size = max(float(np.abs(x).max()) for x in away) or 1.0
    if not (size < LARGE and 1 / LARGE < step < LARGE and size / step < LARGE):
        raise InputError(
            f"values that differ by {size:.0e}, at steps of {step:.0e}, are too large or too close together for squares of "
            "their rates in float64: give the values or the times in other units"
        )
    size = size * float(np.sqrt(np.mean(np.square(np.concatenate(away) / size)))) or 1.0
    scaled = [
        _Signal.of(signals[k][0][part], x / size, known[k][part], step) for (k, part), x in zip(pieces, away, strict=True)
    ]
    measured = [signal.x[signal.seen] for signal in scaled]
    sparse = per_turn.of_noisy(measured) < SPARSE
    logarithm = RANGE[1] if sparse else _strength(scaled)
    if not sparse and per_turn.of_steps(measured) < SPARSE:  # jumps between slow motion may look like noise
        sparse = _noise([signal.run(np.exp(logarithm)) for signal in scaled]) > LOUD
        logarithm = RANGE[1] if sparse else logarithm
    while True:
        found = [signal.run(np.exp(logarithm)) for signal in scaled]
        noise = size * _noise(found)
        parts = [signal.smoothed(one) for signal, one in zip(scaled, found, strict=True)]
        near = max(signal.off(values) for signal, (values, _, _) in zip(scaled, parts, strict=True))
        if near <= 2 * noise / size + ROUNDING or logarithm < 0:
            break
        logarithm -= COARSE  # steps of very different lengths have lost their digits
    unit = size / step ** np.arange(GIVEN)
    results = [_nearest(t, x, seen) for (t, x), seen in zip(signals, known, strict=True)]
    followed: list[list[float]] = [[] for _ in signals]
    for (k, part), signal, (values, errors, own), center in zip(pieces, scaled, parts, centers, strict=True):
        values *= unit[:, None]
        np.multiply(errors, (noise / size * unit)[:, None], out=errors, where=np.isfinite(errors))
        values[0] += center
        results[k][0][:, part] = values * np.array([1.0, signal.direction, 1.0])[:, None]
        results[k][1][:, part] = errors
        followed[k] += [own] * int(signal.seen.sum())
    noise = np.nan if sparse else noise
    return [Smooth(*one, noise, float(np.mean(own))) for one, own in zip(results, followed, strict=True)]


def _without_gaps(t: Array, seen: Array, step: float) -> list[slice]:
    """Return the parts of a signal without long gaps between values, with the times shortly before and after these."""
    where, forward = np.flatnonzero(seen), t if t[-1] >= t[0] else -t
    broken = np.flatnonzero(np.diff(forward[where]) > GAP * step) + 1
    ends = [(forward[part[0]] - NEAR * step, forward[part[-1]] + NEAR * step) for part in np.split(where, broken)]
    return [slice(*np.searchsorted(forward, end).tolist()) for end in ends]


def _nearest(t: Array, x: Array, seen: Array) -> tuple[Array, Array]:
    """Return the values nearest to each time, without derivatives, and infinite errors."""
    values, forward = np.zeros((GIVEN, len(t))), t if t[-1] >= t[0] else -t
    own = forward[seen]
    values[0] = x[seen][np.searchsorted((own[1:] + own[:-1]) / 2, forward)]
    return values, np.full((GIVEN, len(t)), np.inf)


@dataclass(frozen=True)
class _Filtered:
    """States of the filter, in the arrays of ``kalman_loops.filtered``, and the sums of the likelihood."""

    arrays: tuple[Array, Array, Array, Array]
    logarithms: float
    squares: float
    count: int


@dataclass(frozen=True)
class _Signal:
    """A signal in units of its size, at increasing times in units of the median step."""

    t: Array
    x: Array
    seen: Array
    start: Array
    direction: int

    @classmethod
    def of(cls, t: Array, x: Array, seen: Array, step: float) -> _Signal:
        """Return the signal with a polynomial through its first values as the mean of the initial state."""
        direction = 1 if t[-1] >= t[0] else -1
        place = direction * (t - t[0]) / step
        order = min(LARGEST, int(seen.sum()))
        first = np.flatnonzero(seen)[:order]
        powers = np.linalg.solve(np.vander(place[first], order, increasing=True), x[first])
        start = powers * np.array([factorial(k) for k in range(order)])
        return cls(place, x, seen, start, direction)

    def run(self, strength: float) -> _Filtered:
        """Return the states of the filter."""
        n, order = len(self.t), len(self.start)
        shapes = ((n, order), (n, order, order)) * 2
        arrays = (np.zeros(shapes[0]), np.zeros(shapes[1]), np.zeros(shapes[2]), np.zeros(shapes[3]))
        sums = filtered(self.t, self.x, self.seen, self.start, strength, order, *arrays)
        return _Filtered(arrays, *sums)

    def smoothed(self, forward: _Filtered) -> tuple[Array, Array, float]:
        """Return the derivatives, their errors in units of the noise, and the mean leverage of a value on itself."""
        order = len(self.start)
        means, covariances = forward.arrays[:2]
        smooth_backward(self.t, *forward.arrays, order)
        values, errors = np.zeros((GIVEN, len(self.t))), np.full((GIVEN, len(self.t)), np.inf)
        for k in range(min(order, GIVEN)):
            values[k], errors[k] = means[:, k], np.sqrt(np.maximum(covariances[:, k, k], 0.0))
        return values, errors, float(np.clip(errors[0, self.seen] ** 2, 0.0, 1.0).mean())

    def off(self, values: Array) -> float:
        """Return the root mean square distance of smoothed values from the measured ones."""
        return float(np.sqrt(np.square(values[0, self.seen] - self.x[self.seen]).mean()))


def _noise(found: Sequence[_Filtered]) -> float:
    """Return the most likely noise."""
    squares, count = sum(one.squares for one in found), sum(one.count for one in found)
    return float(np.sqrt(squares / count)) if count else 0.0


def _strength(signals: Sequence[_Signal]) -> float:
    """Return the logarithm of the most likely strength of the process, in units of the noise."""

    def misfit(logarithm: float) -> float:
        found = [signal.run(np.exp(logarithm)) for signal in signals]
        count, squares = sum(one.count for one in found), sum(one.squares for one in found)
        if not count or not squares:
            return 0.0
        return float(count * np.log(squares / count) + sum(one.logarithms for one in found))

    grid = np.arange(*RANGE, COARSE)
    best = int(np.argmin([misfit(logarithm) for logarithm in grid]))
    near = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    return float(minimize_scalar(misfit, bounds=near, method="bounded", options={"xatol": 0.05}).x)
