"""A hand that reaches into a rendered film and hides markers."""

from __future__ import annotations

from math import pi, sin

import numpy as np
from numpy.typing import NDArray

from systems.film.rendering.defects import random
from systems.film.rendering.shapes import Bar, Disc, Point, Shape

_SKIN, _SLEEVE = (214, 162, 134), (92, 94, 98)


class Hand:
    """A hand that reaches in from the left, from the right or from below, holds on to a marker, and withdraws.

    Parameters
    ----------
    count
        Number of visits, spread over the film.
    markers : shape ``(N, 2, 2)``
        Points at which the visits aim [pixels]: N pairs of markers at rest, x and y.
    size
        Width and height of the scene [pixels].
    duration
        Duration of the film [s].
    seed
        Random seed of the film.
    """

    def __init__(self, count: float, markers: NDArray[np.floating], size: tuple[int, int], duration: float, seed: int) -> None:
        rng = random(seed, "hand")
        self.unit = float(size[1])
        self.visits: list[tuple[float, float, Point, Point]] = []  # middle and half of the duration, goal, direction
        for k in range(int(count)):
            share = duration / count
            half = min(0.8, share / 4)
            middle = share * (k + 0.5) + rng.uniform(-0.2, 0.2) * share
            pair = markers[rng.integers(len(markers))]
            goal = pair[rng.integers(2)].tolist()
            direction = [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0)][rng.integers(3)]
            self.visits.append((middle, half, (goal[0], goal[1]), direction))
        self.reach = 1.2 * max(size)

    def present(self, t: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether a visit is going on at each of the times t."""
        going = np.zeros(t.shape, dtype=bool)
        for middle, half, _, _ in self.visits:
            going |= np.abs(t - middle) < half
        return going

    def shapes(self, t: float) -> list[Shape]:
        """Return the shapes of the hand at time t; none between visits."""
        for middle, half, goal, direction in self.visits:
            if abs(t - middle) < half:
                away = self._away(t, middle, half)
                tip = (goal[0] - away * direction[0], goal[1] - away * direction[1])
                return _hand(tip, direction, self.unit)
        return []

    def way(self, start: float, end: float) -> float:
        """Return how far the hand moves from time ``start`` to time ``end`` [pixels]."""
        return max((abs(self._away(end, m, h) - self._away(start, m, h)) for m, h, _, _ in self.visits), default=0.0)

    def _away(self, t: float, middle: float, half: float) -> float:
        return float(self.reach * sin(pi / 2 * min(abs(t - middle) / half, 1)) ** 4)

    def clearance(self, t: float, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the distances of points ``(..., 2)`` from the hand at time t [pixels]; infinite where there is no hand."""
        clear = np.full(points.shape[:-1], np.inf)
        for shape in self.shapes(t):
            clear = np.minimum(clear, shape.distance(points[..., 0], points[..., 1]))
        return clear


def _hand(tip: Point, direction: Point, unit: float) -> list[Shape]:
    """Return the shapes of a hand that points in a direction, its palm at ``tip``, and of the arm behind it.

    Lengths are proportional to ``unit``, the height of the scene.
    """
    (x, y), (ux, uy) = tip, direction

    def at(along: float, across: float) -> Point:
        return x + unit * (along * ux - across * uy), y + unit * (along * uy + across * ux)

    fingers = [
        Bar(at(0.02, k), at(0.12 - abs(k) / 3, 1.2 * k), 0.028 * unit, _SKIN, True) for k in (-0.045, -0.015, 0.015, 0.045)
    ]
    return [
        Bar(at(-0.22, 0), at(-2.5, 0), 0.13 * unit, _SLEEVE, True),
        Bar(at(-0.25, 0), at(-0.03, 0), 0.085 * unit, _SKIN, True),
        Disc(at(0, 0), 0.068 * unit, _SKIN),
        Bar(at(-0.03, 0.05), at(0.05, 0.095), 0.03 * unit, _SKIN, True),
        *fingers,
    ]
