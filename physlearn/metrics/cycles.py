"""Find the cycles of an oscillation or a rotation within stretches of time without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import PPoly
from scipy.optimize import brentq

from physlearn.metrics.spline import samples, spline
from physlearn.metrics.spread import circular_mean
from systems import Orbit

LEAST_SWING = 0.2  # smallest swing, relative to the largest; anything smaller is noise about the middle
LONG = 1.5  # a step longer than this many median steps may be a gap, as in Orbit.from_csv
FALL = 0.25  # part of a turn by which a rotating angle never moves backwards

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
    """A coordinate over one stretch of time.

    ``part`` selects its samples, and ``curve`` is a spline through them. ``starts`` are the times when each cycle begins and
    the last one ends. ``extremes`` are the signed amplitudes of the swings about the middle; a rotation has none.
    """

    part: slice
    curve: PPoly
    starts: Values
    extremes: Values


def stretches(orbit: Orbit, coordinate: int | str) -> list[Stretch]:
    """Return the stretches of one orbit without gaps, in order; an orbit that is not finite has none.

    A step is a gap if it is longer than a quarter of a typical cycle and longer than the other steps. The motion during a gap
    is unknown.
    """
    t, x, rate = samples(orbit, coordinate)
    period = orbit.periods.get(orbit.coordinates[orbit.index(coordinate)])
    return _stretches(t, x, rate, period)


def mean_cycle(found: Sequence[Stretch]) -> float:
    """Return the mean length of the whole cycles; NaN if there are none."""
    counts = sum(len(stretch.starts) - 1 for stretch in found if len(stretch.starts) > 1)
    lengths = sum(float(stretch.starts[-1] - stretch.starts[0]) for stretch in found if len(stretch.starts) > 1)
    return lengths / counts if counts else float("nan")


def _stretches(t: Values, x: Values, rate: Values | None, period: float | None) -> list[Stretch]:
    whole = spline(t, x, rate)
    if whole is None:
        return []
    if period is not None and np.ptp(x) >= period:
        speed = float(np.median(np.abs(np.diff(x)) / np.diff(t)))
        parts = _parts(t, period / 4 / speed if speed > 0 else np.inf)
        about_its_mean = _within_a_turn(x, period)
        if any(np.abs(np.diff(about_its_mean[part])).max(initial=0) > period / 2 for part in parts):
            return _rotation(t, x, rate, period, parts)
        x = about_its_mean  # the angle librates: it jumps only across gaps
        whole = spline(t, x, rate)
        assert whole is not None  # because the first spline was not None
    middle, size = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    starts = _swings(whole, middle, size)[0]
    found = []
    for part in _parts(t, float(np.median(np.diff(starts))) / 2 if len(starts) > 1 else np.inf):
        curve = spline(t[part], x[part], None if rate is None else rate[part])
        if curve is not None:
            starts, extremes = _swings(curve, middle, size)
            found.append(Stretch(part, curve, starts[extremes > 0], extremes))
    return found


def _within_a_turn(x: Values, period: float) -> Values:
    """Return the angles within half a turn of their mean."""
    angle = torch.from_numpy(np.ascontiguousarray(x))
    mean = float(circular_mean(angle, torch.full_like(angle, 1 / len(x)), period))
    return np.asarray((x - mean + period / 2) % period + mean - period / 2)


def _rotation(t: Values, x: Values, rate: Values | None, period: float, parts: Sequence[slice]) -> list[Stretch]:
    """Return the stretches of a rotating angle, divided into turns; none if it rotates in both directions."""
    sense = np.sign(sum(x[part][-1] - x[part][0] for part in parts))
    if any((np.maximum.accumulate(sense * x[part]) - sense * x[part]).max() > FALL * period for part in parts):
        return []
    found = []
    for part in parts:
        curve = spline(t[part], x[part], None if rate is None else rate[part])
        if curve is None:
            continue
        first, last = x[part][[0, -1]]
        levels = first + sense * period * np.arange(1, int(abs(last - first) / period) + 1)
        passed = [roots[0] for roots in (_crossings(curve, level) for level in levels) if len(roots)]
        found.append(Stretch(part, curve, np.array([curve.x[0], *passed]), np.empty(0)))
    return found


def _parts(t: Values, longest: float) -> list[slice]:
    """Divide the samples at steps that are longer than ``longest`` and longer than the other steps."""
    steps = np.diff(t)
    ends = np.flatnonzero((steps > longest) & (steps > LONG * np.median(steps))) + 1
    return [slice(int(a), int(b)) for a, b in pairwise([0, *ends, len(t)])]


def _swings(curve: PPoly, middle: float, size: float) -> tuple[Values, Values]:
    """Return when each whole swing leaves the middle, and its extreme; noise about the middle does not count."""
    crossings = _crossings(curve, middle)
    turning = curve.derivative().roots(extrapolate=False)
    heights = curve(turning) - middle
    swings: list[tuple[float, float]] = []
    for a, b in pairwise(crossings):
        inside = heights[(turning > a) & (turning < b)]
        if not len(inside):
            continue
        extreme = inside[np.abs(inside).argmax()]
        if abs(extreme) < LEAST_SWING * size:
            continue
        if swings and swings[-1][1] * extreme > 0:  # the same swing, interrupted by noise
            a, before = swings.pop()
            extreme = max(before, extreme, key=abs)
        swings.append((a, extreme))
    starts, extremes = np.array(swings).reshape(-1, 2).T
    return starts, extremes


def _crossings(curve: PPoly, middle: float) -> Values:
    """Return the times when the curve crosses the middle, including roots at knots that rounding hides from both pieces."""
    roots = curve.solve(middle, extrapolate=False)
    above = curve(curve.x) >= middle
    hidden = []
    for i in np.flatnonzero(above[1:] != above[:-1]):
        a, b = curve.x[i], curve.x[i + 1]
        slack = 1e-9 * (b - a)
        if not ((roots >= a - slack) & (roots <= b + slack)).any():
            hidden.append(brentq(lambda t: curve(t) - middle, a, b))
    return np.sort(np.concatenate([roots, hidden]))
