"""A scene of joints that rods and springs connect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from systems.film.rendering.camera import Camera
from systems.film.rendering.clock_scene import BRASS, INK, STEEL
from systems.film.rendering.courses import Course
from systems.film.rendering.linkages import Linkage
from systems.film.rendering.shapes import RGB, Bar, Box, Disc, Point, Shape

TURNS = 10  # of a drawn spring
AXLE, WHEEL = 1.6, 1.2  # height of a cart's marker above its wheels, and their radius, in radii of a marker
WIDE = 2.2  # half of the width of a drawn spring, in radii of a marker


@dataclass(frozen=True)
class LinkageScene:
    """Joints whose places are a function of the time since the start of the film.

    Parameters
    ----------
    linkage
        What connects them.
    course
        Places ``(J, 2, ...)`` as a function of times ``(...)``, in pixels of the scene.
    size
        Width and height [pixels].
    marker
        Radius of the markers [pixels].
    colours
        Colour of each marker.
    """

    linkage: Linkage
    course: Course
    size: tuple[int, int]
    marker: float
    colours: tuple[RGB, ...]

    def places(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the places of the joints ``(T, J, 2)`` at times ``(T,)``."""
        return np.moveaxis(self.course(time), -1, 0)

    def body(self) -> list[Shape]:
        """Return the blocks that carry the joints that do not move."""
        fixed = self.places(np.zeros(1))[0][: self.linkage.fixed]
        shapes: list[Shape] = [
            Bar((x, y - 3 * self.marker), (x, y + 1.5 * self.marker), 5 * self.marker, STEEL) for x, y in fixed.tolist()
        ]
        if self.linkage.wheels:
            height = float(self.places(np.zeros(1))[0, 0, 1]) + AXLE * self.marker + WHEEL * self.marker
            shapes.append(Bar((0, height), (self.size[0], height), 0.5 * self.marker, INK))
        return shapes

    def moving(self, time: NDArray[np.float64]) -> list[list[list[Shape]]]:
        """Return the shapes of the whole linkage at each of the times."""
        return [[self._shapes([(x, y) for x, y in joints]) for joints in self.places(time).tolist()]]

    def way(self, start: float, end: float) -> float:
        """Return how far the fastest joint moves between two times [pixels]."""
        places = self.places(np.array([start, end]))
        return float(np.hypot(*np.moveaxis(places[1] - places[0], -1, 0)).max())

    def changes(self, frame: int, bare: NDArray[np.float32], camera: Camera) -> Iterator[Box]:
        """Yield nothing, because nothing but the linkage moves."""
        yield from ()

    def _shapes(self, joints: list[Point]) -> list[Shape]:
        shapes: list[Shape] = [Bar(joints[a], joints[b], 0.9 * self.marker, BRASS) for a, b in self.linkage.rods]
        for a, b in self.linkage.springs:
            shapes += _zigzag(joints[a], joints[b], WIDE * self.marker, 0.3 * self.marker)
        if self.linkage.wheels:
            (x, y), m = joints[0], self.marker
            wheels = [(x + side * 2 * AXLE * m, y + AXLE * m) for side in (-1, 1)]
            shapes.append(Bar((x - 3 * AXLE * m, y), (x + 3 * AXLE * m, y), 2 * AXLE * m, STEEL))
            shapes += [Disc(wheel, WHEEL * m, INK) for wheel in wheels]
        bobs = joints[self.linkage.fixed :]
        shapes += [Disc(place, 2 * self.marker, STEEL) for place in bobs]
        shapes += [Disc(place, self.marker, colour) for place, colour in zip(joints, self.colours, strict=True)]
        return shapes


def _zigzag(start: Point, end: Point, half_width: float, thick: float) -> list[Shape]:
    """Return the bars of a spring between two points."""
    a, b = np.array(start), np.array(end)
    length = float(np.hypot(*(b - a)))
    if length == 0:
        return []
    side = np.array([a[1] - b[1], b[0] - a[0]]) / length * half_width
    corners = [a, *(a + (b - a) * (k + 0.5) / TURNS + side * (-1) ** k for k in range(TURNS)), b]
    points = [(float(x), float(y)) for x, y in corners]
    return [Bar(one, other, thick, INK, rounded=True) for one, other in pairwise(points)]
