"""Pairs of candidates that are the two ends of one pendulum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from systems.film.tracking.arrays import Floats
from systems.film.tracking.candidates import PRESENT, Candidate
from systems.film.tracking.noise import alikeness, noise_of
from systems.film.tracking.sample import Sample

CURVATURE = 0.3  # relative deviation of a path's curvature from that about its pivot, because lens and view bend it as well
WIDE, EQUAL = 0.5, 0.02  # of the distance of the ends: a wide swing, and how much the distance may vary in it
OFF_AXIS = 0.1  # radians between rod and middle of the swing, which is accurate to a tenth of the amplitude


@dataclass(frozen=True)
class Found:
    """A pendulum: its moving end, and its other end or None.

    Attributes
    ----------
    lower
        The moving end.
    upper
        The other end, None if it is not visible.
    """

    lower: Candidate
    upper: Candidate | None


def pair(sample: Sample, candidates: list[Candidate]) -> list[Found]:
    """Decide which candidates are the two ends of one pendulum: their distance is constant, along the middle of the swing.

    If any pendulum has two visible ends, those with a single one are left out, since they are parts of it or clutter.

    Parameters
    ----------
    sample
        The start of a film.
    candidates
        Patches followed through it.

    Returns
    -------
    list of Found
        Pendulums, the likeliest first.
    """
    moving = sorted((c for c in candidates if c.moves), key=lambda c: -c.swing.size)
    groups: list[list[Candidate]] = []
    for candidate in moving:
        for group in groups:
            if any(_one_body(sample, candidate, other) for other in group):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    offers: list[tuple[float, int, Candidate, Candidate | None]] = []
    for index, group in enumerate(groups):
        largest = max(c.swing.size for c in group)
        ends = [c for c in group if c.swing.size > 0.6 * largest]
        for lower in ends:
            grade = lower.likeness / (lower.swing.noise + 0.3)
            offers.append((grade * 1e-6, index, lower, None))
            for upper in candidates:
                belongs = not upper.moves or any(upper is member for member in group)
                if belongs and upper is not lower and upper.swing.size < 0.7 * lower.swing.size:
                    merit = _rigid(sample, lower, upper)
                    if merit > 0:
                        offers.append((merit * lower.likeness, index, lower, upper))
    chosen: dict[int, Found] = {}
    used: set[int] = set()
    for _, index, lower, fixed in sorted(offers, key=lambda offer: -offer[0]):
        if index not in chosen and id(lower) not in used and id(fixed) not in used:
            chosen[index] = Found(lower, fixed)
            used |= {id(lower), id(fixed)} - {id(None)}
    found = list(chosen.values())
    found = [pendulum for pendulum in found if pendulum.upper is not None] or found
    likely = max((pendulum.lower.likeness for pendulum in found), default=0.0)
    return [pendulum for pendulum in found if pendulum.lower.likeness > 0.3 * likely]


def _one_body(sample: Sample, a: Candidate, b: Candidate) -> bool:
    """Return whether two moving candidates belong to one pendulum: in step, and one behind the other along the rod."""
    if abs(a.swing.period - b.swing.period) > 0.1 * a.swing.period:
        return False
    apart = a.swing.centre - b.swing.centre
    size = max(a.radius, b.radius)
    distance = float(np.hypot(*apart))
    if distance < 1.5 * size:
        return True
    across = abs(float(apart @ a.swing.axis))
    turn = b.swing.amplitude / a.swing.amplitude
    return across < 0.25 * distance + 0.5 * size and abs(turn.imag) < 0.25 * abs(turn)


def _rigid(sample: Sample, lower: Candidate, upper: Candidate) -> float:
    """Return how likely a candidate is to be the other end of a pendulum; 0 if it cannot be."""
    apart = lower.swing.centre - upper.swing.centre
    both = np.isfinite(lower.track).all(axis=1) & np.isfinite(upper.track).all(axis=1)
    if both.mean() < 0.5 * PRESENT:
        return 0.0
    length = np.hypot(*(lower.track - upper.track)[both].T)
    distance = float(np.median(length))
    if distance < 1.5 * (lower.radius + upper.radius) or lower.swing.size > 1.2 * distance:
        return 0.0
    wander = noise_of(np.abs(length - np.median(length)))
    noise = float(np.hypot(lower.swing.noise, upper.swing.noise))
    if wander > max(1.0, min(3 * noise, 0.2 * lower.swing.size), 0.1 * lower.swing.size):
        return 0.0
    wide = lower.swing.size > WIDE * distance  # so that a distance that stays the same is that of a pivot
    if wander > EQUAL * distance if wide else not (upper.moves or _arc_agrees(sample, lower, apart)):
        return 0.0
    off = float(np.arcsin(min(1.0, abs(float(apart @ lower.swing.axis)) / distance)))
    doubt = OFF_AXIS + 0.1 * lower.swing.size / distance
    if off > 2 * doubt:
        return 0.0
    merit = max(upper.likeness, 0.02) * np.exp(-((off / doubt) ** 2))
    merit *= min(upper.mass / lower.mass, lower.mass / upper.mass) ** 0.5
    return float(merit)


def _arc_agrees(sample: Sample, lower: Candidate, apart: Floats) -> bool:
    """Return whether the path of the moving end may curve about a still point, as far as its curvature is known.

    This distinguishes a pivot from things that hang on the wall behind the pendulum.
    """
    points = lower.track - sample.shift * sample.scale - lower.swing.centre
    points = points[np.isfinite(points).all(axis=1)]
    along = points @ lower.swing.axis
    toward = -apart - (-apart @ lower.swing.axis) * lower.swing.axis
    rise = points @ (toward / max(float(np.hypot(*toward)), 1e-9))
    columns = np.stack([np.ones_like(along), along, along**2 / 2], axis=1)
    fit = np.linalg.lstsq(columns, rise, rcond=None)[0]
    rest = rise - columns @ fit
    covariance = float(rest @ rest) / max(len(rest) - 3, 1) * alikeness(rest) * np.linalg.pinv(columns.T @ columns)
    expected = 1 / float(np.hypot(*apart))
    return bool(abs(fit[2] - expected) < CURVATURE * expected + 4 * np.sqrt(covariance[2, 2]))
