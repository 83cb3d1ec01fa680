"""Discs and bars, painted through a camera without resampling.

A shape knows the signed distance of any point to its edge. Each pixel evaluates it at its own point of the scene, so edges are
smooth, and accurate to a hundredth of a pixel whatever the camera does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from systems.film.rendering.camera import Camera

Point = tuple[float, float]
Array = NDArray[np.floating]
RGB = tuple[float, float, float]
Paint = (
    RGB | Callable[[Array, Array], Array]
)  # a colour, or a function of x and y that gives the colours (3, ...) of points of the scene
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are exclusive


@dataclass(frozen=True)
class Disc:
    """A filled circle.

    Parameters
    ----------
    centre
        x and y of its centre [pixels of the scene].
    radius
        Its radius [pixels].
    paint
        Its colour, or a function that gives the colours of its points.
    """

    centre: Point
    radius: float
    paint: Paint

    def distance(self, x: Array, y: Array) -> Array:
        """Return the signed distance of points to the edge, negative inside."""
        return np.asarray(np.hypot(x - self.centre[0], y - self.centre[1]) - self.radius)

    def outline(self) -> list[Point]:
        """Return twelve points around the disc, at least a pixel outside of its edge."""
        reach = (self.radius + 1) / cos(pi / 12)
        return [(self.centre[0] + reach * cos(k * pi / 6), self.centre[1] + reach * sin(k * pi / 6)) for k in range(12)]


@dataclass(frozen=True)
class Bar:
    """A straight bar with flat or round ends; round ends lie beyond ``start`` and ``end``.

    Parameters
    ----------
    start, end
        x and y of the ends of its axis [pixels of the scene].
    width
        Its width [pixels].
    paint
        Its colour, or a function that gives the colours of its points.
    rounded : default False
        Whether its ends are half discs.
    """

    start: Point
    end: Point
    width: float
    paint: Paint
    rounded: bool = False

    def distance(self, x: Array, y: Array) -> Array:
        """Return the signed distance of points to the edge, negative inside.

        Beyond a corner of a flat end it is the larger of the distances along and across the bar.
        """
        (ux, uy), half = self._direction()
        dx, dy = x - (self.start[0] + self.end[0]) / 2, y - (self.start[1] + self.end[1]) / 2
        along, across = np.abs(dx * ux + dy * uy) - half, np.abs(dy * ux - dx * uy)
        if self.rounded:
            return np.asarray(np.hypot(np.maximum(along, 0), across) - self.width / 2)
        return np.maximum(along, across - self.width / 2)

    def outline(self) -> list[Point]:
        """Return twelve points around the bar, at least a pixel outside of its edge."""
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
    """Return the box of pixels that each shape may colour.

    Parameters
    ----------
    shapes
        Shapes in the scene.
    camera
        The camera that sees them.

    Returns
    -------
    list of Box
        One box per shape; empty (right <= left or bottom <= top) for a shape out of the frame.
    """
    if not shapes:
        return []
    points = camera.to_frame(np.array([shape.outline() for shape in shapes]))
    low = np.clip(np.floor(points.min(1)).astype(int) - 1, 0, camera.size)
    high = np.clip(np.ceil(points.max(1)).astype(int) + 2, 0, camera.size)
    return [(left, top, right, bottom) for (left, top), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True)]


def around(parts: Sequence[Box]) -> Box:
    """Return the smallest box around all boxes that are not empty, or an empty box if all are."""
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
    """Paint shapes on a canvas.

    Parameters
    ----------
    canvas : shape ``(3, height, width)``
        Red, green and blue, changed in place. Colours come first, because NumPy is slow where they come last.
    shapes
        Shapes, painted in order.
    parts
        Box of each shape, as `boxes` returns them; all of them must lie on the canvas.
    camera
        The camera that sees the shapes.
    origin : default (0, 0)
        Column and row of the frame at the canvas's first pixel.
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
