"""What a pendulum clock looks like: the geometry and the colours of its parts, in front of a wall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from systems.film.rendering.clock_film import Film
from systems.film.rendering.shapes import RGB, Array, Bar, Disc, Point, Shape

WALL, WOOD, CAVITY = (196, 190, 180), (124, 76, 42), (78, 52, 36)
BRASS, STEEL, ENAMEL, INK = (190, 156, 84), (120, 120, 118), (236, 231, 216), (34, 30, 28)


@dataclass(frozen=True)
class Clock:
    """One clock of a film: its place and the size of its parts, in pixels of the scene.

    Parameters
    ----------
    pivot
        x and y of the pivot.
    rod
        Distance from the pivot to the middle of the bob.
    bob, marker
        Radii of the bob and of the markers.
    colours
        Colours of the upper and of the lower marker.
    unit
        Height of the scene, to which all other parts are proportional.
    half_width
        Half of the width of the case.
    """

    pivot: Point
    rod: float
    bob: float  # radius
    marker: float  # radius
    colours: tuple[RGB, RGB]
    unit: float
    half_width: float

    @property
    def arms(self) -> tuple[float, float]:
        """Distances of the upper and of the lower marker from the pivot."""
        return 0.1 * self.rod, self.rod

    def markers(self, theta: Array) -> Array:
        """Return the places of the upper and of the lower marker.

        Parameters
        ----------
        theta : shape ``(...)``
            Angles [rad].

        Returns
        -------
        shape ``(..., 2, 2)``
            x and y of both markers [pixels of the scene].
        """
        direction = np.stack([np.sin(theta), np.cos(theta)], -1)[..., None, :]
        return np.asarray(np.array(self.pivot) + np.array(self.arms)[:, None] * direction)

    def pendulum(self, theta: float) -> list[Shape]:
        """Return the shapes of the rod, the bob and both markers at an angle."""
        x, y = self.pivot
        ux, uy = sin(theta), cos(theta)
        upper, lower = (((x + arm * ux), (y + arm * uy)) for arm in self.arms)
        tip = (x + (self.rod + 1.25 * self.bob) * ux, y + (self.rod + 1.25 * self.bob) * uy)
        return [
            Bar(self.pivot, tip, self.unit / 90, BRASS),
            Disc(lower, self.bob, _polished(lower, self.bob)),
            Disc(upper, self.marker, self.colours[0]),
            Disc(lower, self.marker, self.colours[1]),
        ]

    def body(self, case: bool) -> list[Shape]:
        """Return the shapes that do not move: the dial, the block that carries the pendulum, and the case if there is one."""
        x, y = self.pivot
        u = self.unit
        shapes: list[Shape] = []
        if case:
            low, edge = y + self.rod + 1.5 * self.bob, 0.02 * u
            shapes += [
                Bar((x, y - 0.29 * u), (x, low + edge), 2 * self.half_width, _wood),
                Bar((x, y - 0.29 * u + edge), (x, low), 2 * (self.half_width - edge), CAVITY),
            ]
        cx, cy = self.dial
        shapes += [
            Bar((x, y - 0.05 * u), (x, y + 0.012 * u), 0.06 * u, STEEL),
            Disc((cx, cy), 0.125 * u, BRASS),
            Disc((cx, cy), 0.115 * u, ENAMEL),
        ]
        for k in range(60):
            s, c = sin(k * pi / 30), cos(k * pi / 30)
            inner, width = (0.09, 0.006) if k % 5 == 0 else (0.103, 0.0025)
            start, end = (cx + inner * u * s, cy - inner * u * c), (cx + 0.11 * u * s, cy - 0.11 * u * c)
            shapes.append(Bar(start, end, width * u, INK))
        return shapes

    @property
    def dial(self) -> Point:
        """The middle of the dial."""
        return self.pivot[0], self.pivot[1] - 0.15 * self.unit

    def hands(self, ticks: int) -> list[Shape]:
        """Return the shapes of the hands after a number of ticks of one second, which count from ten past ten."""
        (x, y), u = self.dial, self.unit
        seconds = 36600 + ticks
        shapes: list[Shape] = []
        for turn, length, width in ((43200, 0.055, 0.009), (3600, 0.085, 0.006), (60, 0.095, 0.0025)):
            angle = 2 * pi * seconds / turn
            end = (x + length * u * sin(angle), y - length * u * cos(angle))
            shapes.append(Bar((x, y), end, width * u, INK, rounded=True))
        return [*shapes, Disc((x, y), 0.008 * u, INK)]


def clocks(film: Film, number: int, largest: float) -> list[Clock]:
    """Return the clocks of a film, side by side.

    Parameters
    ----------
    film
        Settings of the film.
    number
        Number of clocks.
    largest
        Largest angle of any swing [rad]; the cases are wide enough for it.

    Returns
    -------
    list of Clock
        Clocks from the left to the right.
    """
    width, height = film.size
    spacing = width / number
    x, y = film.pivot or ((width - 1) / 2, 0.3 * height)
    rod, bob = film.rod or 0.6 * height, film.bob or height / 14
    inside = max(0.14 * height, rod * sin(min(largest, pi / 2)) + 1.1 * bob)
    return [
        Clock(
            pivot=(x + (k - (number - 1) / 2) * spacing, y),
            rod=rod,
            bob=bob,
            marker=film.marker or height / 60,
            colours=film.colours[k],
            unit=float(height),
            half_width=min(inside + 0.03 * height, 0.49 * spacing),
        )
        for k in range(number)
    ]


def wall(x: Array, y: Array) -> Array:
    """Return the colours of plaster with faint blotches, ``(3, ...)``, at points of the scene."""
    tone = np.sin(x / 97 + 2 * np.sin(y / 131)) + np.sin(y / 71 + 1.5 * np.sin(x / 173)) + np.sin(x / 11) * np.sin(y / 13)
    return np.asarray(_column(WALL) + np.float32(2) * tone)


def _wood(x: Array, y: Array) -> Array:
    """Return the colours of wood whose grain runs up and down."""
    grain = np.sin(0.45 * x + 3 * np.sin(y / 90) + 1.3 * np.sin(0.09 * x + y / 37))
    return np.asarray(_column(WOOD) * (1 + np.float32(0.08) * grain))


def _polished(centre: Point, radius: float) -> Callable[[Array, Array], Array]:
    """Return the paint of brass that shines towards the upper left."""

    def colour(x: Array, y: Array) -> Array:
        slope = ((centre[0] - x) + (centre[1] - y)) / radius
        return np.asarray(_column(BRASS) * (1 + np.float32(0.2) * slope))

    return colour


def _column(colour: RGB) -> NDArray[np.float32]:
    return np.array(colour, np.float32)[:, None, None]
