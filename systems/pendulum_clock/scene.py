"""What a pendulum clock looks like: discs and bars, painted through a camera without resampling.

A shape knows the signed distance of any point to its edge. Each pixel asks for it at its own point of the scene, so edges are
smooth, and lie where they should to a hundredth of a pixel, whatever the camera does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from systems.pendulum_clock.camera import Camera

if TYPE_CHECKING:
    from systems.pendulum_clock.film import Film

Point = tuple[float, float]
Array = NDArray[np.floating]
RGB = tuple[float, float, float]
Paint = RGB | Callable[[Array, Array], Array]  # red, green and blue at points of the scene, (3, ...)
Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two are beyond it

WALL, WOOD, CAVITY = (196, 190, 180), (124, 76, 42), (78, 52, 36)
BRASS, STEEL, ENAMEL, INK = (190, 156, 84), (120, 120, 118), (236, 231, 216), (34, 30, 28)
SKIN, SLEEVE = (214, 162, 134), (92, 94, 98)


@dataclass(frozen=True)
class Disc:
    """All points within a radius."""

    centre: Point
    radius: float
    paint: Paint

    def distance(self, x: Array, y: Array) -> Array:
        """To the edge; negative within."""
        return np.asarray(np.hypot(x - self.centre[0], y - self.centre[1]) - self.radius)

    def outline(self) -> list[Point]:
        """Twelve points, at least a pixel beyond the edge, around all of it."""
        reach = (self.radius + 1) / cos(pi / 12)
        return [(self.centre[0] + reach * cos(k * pi / 6), self.centre[1] + reach * sin(k * pi / 6)) for k in range(12)]


@dataclass(frozen=True)
class Bar:
    """A straight bar of some width, its ends flat or round; the round ones lie beyond start and end."""

    start: Point
    end: Point
    width: float
    paint: Paint
    rounded: bool = False

    def distance(self, x: Array, y: Array) -> Array:
        """To the edge; negative within. Of a flat bar, beyond a corner, the larger of the two distances."""
        (ux, uy), half = self._direction()
        dx, dy = x - (self.start[0] + self.end[0]) / 2, y - (self.start[1] + self.end[1]) / 2
        along, across = np.abs(dx * ux + dy * uy) - half, np.abs(dy * ux - dx * uy)
        if self.rounded:
            return np.asarray(np.hypot(np.maximum(along, 0), across) - self.width / 2)
        return np.maximum(along, across - self.width / 2)

    def outline(self) -> list[Point]:
        """Twelve points, at least a pixel beyond the edge, around all of it."""
        (ux, uy), half = self._direction()
        reach, beyond = self.width / 2 + 1, half + 1 + (self.width / 2 if self.rounded else 0)
        x, y = (self.start[0] + self.end[0]) / 2, (self.start[1] + self.end[1]) / 2
        steps = [beyond * (k / 2.5 - 1) for k in range(6)]
        return [(x + s * ux - side * uy, y + s * uy + side * ux) for s in steps for side in (-reach, reach)]

    def _direction(self) -> tuple[Point, float]:
        length = hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])
        return ((self.end[0] - self.start[0]) / length, (self.end[1] - self.start[1]) / length), length / 2


Shape = Disc | Bar


def boxes(shapes: Sequence[Shape], camera: Camera) -> list[Box]:
    """The pixels that each of the shapes may colour; empty (right <= left) for one that is out of the frame."""
    points = camera.to_frame(np.array([shape.outline() for shape in shapes]))
    low = np.clip(np.floor(points.min(1)).astype(int) - 1, 0, camera.size)
    high = np.clip(np.ceil(points.max(1)).astype(int) + 2, 0, camera.size)
    return [(left, top, right, bottom) for (left, top), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True)]


def around(parts: Sequence[Box]) -> Box:
    """The smallest box around all boxes that are not empty; an empty one around none."""
    full = [part for part in parts if part[2] > part[0] and part[3] > part[1]]
    if not full:
        return 0, 0, 0, 0
    left, top, right, bottom = zip(*full, strict=True)
    return min(left), min(top), max(right), max(bottom)


def paint(
    canvas: NDArray[np.float32],
    shapes: Sequence[Shape],
    parts: Sequence[Box],
    camera: Camera,
    origin: tuple[int, int] = (0, 0),
) -> None:
    """Paint shapes on a canvas ``(3, height, width)`` whose first pixel is ``origin`` = (left, top) of the frame.

    parts: the box of each shape, which must lie on the canvas. Colours come first, since NumPy is slow where they come last.
    """
    for shape, (left, top, right, bottom) in zip(shapes, parts, strict=True):
        if right <= left or bottom <= top:
            continue
        x, y, width = (values[top:bottom, left:right] for values in camera.scene_at_pixels)
        cover = np.clip(0.5 - shape.distance(x, y) / width, 0, 1)
        colours = shape.paint(x, y) if callable(shape.paint) else np.array(shape.paint, np.float32)
        for plane, colour in zip(canvas, colours, strict=True):
            part = plane[top - origin[1] : bottom - origin[1], left - origin[0] : right - origin[0]]
            part += cover * (colour - part)


@dataclass(frozen=True)
class Clock:
    """One clock of a film: where it hangs and how large its parts are, in pixels of the scene."""

    pivot: Point
    rod: float  # from the pivot to the middle of the bob
    bob: float  # radius
    marker: float  # radius
    colours: tuple[RGB, RGB]
    unit: float  # the height of the scene
    half_width: float  # of the case

    @property
    def arms(self) -> tuple[float, float]:
        """How far the upper and the lower marker are from the pivot."""
        return 0.1 * self.rod, self.rod

    def markers(self, theta: Array) -> Array:
        """Where the upper and the lower marker are, ``(..., 2 markers, 2)``, at angles ``(...)``."""
        direction = np.stack([np.sin(theta), np.cos(theta)], -1)[..., None, :]
        return np.asarray(np.array(self.pivot) + np.array(self.arms)[:, None] * direction)

    def pendulum(self, theta: float) -> list[Shape]:
        """The rod, the bob and the two markers."""
        x, y = self.pivot
        ux, uy = sin(theta), cos(theta)
        upper, lower = (((x + arm * ux), (y + arm * uy)) for arm in self.arms)
        tip = (x + (self.rod + 1.25 * self.bob) * ux, y + (self.rod + 1.25 * self.bob) * uy)
        return [
            Bar(self.pivot, tip, self.unit / 90, BRASS),
            Disc(lower, self.bob, polished(lower, self.bob)),
            Disc(upper, self.marker, self.colours[0]),
            Disc(lower, self.marker, self.colours[1]),
        ]

    def body(self, case: bool) -> list[Shape]:
        """What does not move: case, dial, and the block from which the pendulum hangs."""
        x, y = self.pivot
        u = self.unit
        shapes: list[Shape] = []
        if case:
            low, edge = y + self.rod + 1.5 * self.bob, 0.02 * u
            shapes += [
                Bar((x, y - 0.29 * u), (x, low + edge), 2 * self.half_width, wood),
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
        """The hands after so many ticks, one a second, from ten past ten."""
        (x, y), u = self.dial, self.unit
        seconds = 36600 + ticks
        shapes: list[Shape] = []
        for turn, length, width in ((43200, 0.055, 0.009), (3600, 0.085, 0.006), (60, 0.095, 0.0025)):
            angle = 2 * pi * seconds / turn
            end = (x + length * u * sin(angle), y - length * u * cos(angle))
            shapes.append(Bar((x, y), end, width * u, INK, rounded=True))
        return [*shapes, Disc((x, y), 0.008 * u, INK)]


def clocks(film: Film, number: int, largest: float) -> list[Clock]:
    """The clocks of a film side by side, their cases wide enough for swings to the angle ``largest``."""
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
    """Plaster, with faint blotches."""
    tone = np.sin(x / 97 + 2 * np.sin(y / 131)) + np.sin(y / 71 + 1.5 * np.sin(x / 173)) + np.sin(x / 11) * np.sin(y / 13)
    return np.asarray(_column(WALL) + np.float32(2) * tone)


def wood(x: Array, y: Array) -> Array:
    """Grain that runs up and down."""
    grain = np.sin(0.45 * x + 3 * np.sin(y / 90) + 1.3 * np.sin(0.09 * x + y / 37))
    return np.asarray(_column(WOOD) * (1 + np.float32(0.08) * grain))


def polished(centre: Point, radius: float) -> Callable[[Array, Array], Array]:
    """Brass that shines towards the upper left."""

    def colour(x: Array, y: Array) -> Array:
        slope = ((centre[0] - x) + (centre[1] - y)) / radius
        return np.asarray(_column(BRASS) * (1 + np.float32(0.2) * slope))

    return colour


def hand(tip: Point, direction: Point, unit: float) -> list[Shape]:
    """A hand that points to ``direction``, its palm at ``tip``, and the arm behind it. unit: the height of the scene."""
    (x, y), (ux, uy) = tip, direction

    def at(along: float, across: float) -> Point:
        return x + unit * (along * ux - across * uy), y + unit * (along * uy + across * ux)

    fingers = [
        Bar(at(0.02, k), at(0.12 - abs(k) / 3, 1.2 * k), 0.028 * unit, SKIN, True) for k in (-0.045, -0.015, 0.015, 0.045)
    ]
    return [
        Bar(at(-0.22, 0), at(-2.5, 0), 0.13 * unit, SLEEVE, True),
        Bar(at(-0.25, 0), at(-0.03, 0), 0.085 * unit, SKIN, True),
        Disc(at(0, 0), 0.068 * unit, SKIN),
        Bar(at(-0.03, 0.05), at(0.05, 0.095), 0.03 * unit, SKIN, True),
        *fingers,
    ]


def _column(colour: RGB) -> NDArray[np.float32]:
    return np.array(colour, np.float32)[:, None, None]
