"""Axes of the scene: from pixels of a film to lengths, with an origin, a direction and y upwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, isfinite, radians, sin, sqrt
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.scalars import real

CLICK = 0.5  # pixels: standard error of each coordinate of a point that a user has clicked


@dataclass(frozen=True)
class Axes:
    """Axes in which the places of markers are given.

    Parameters
    ----------
    scale : float, default 1
        Length of a pixel.
    scale_error : float, default 0
        Its relative standard error, which all places share.
    origin : (float, float), default (0, 0)
        Pixel at the origin.
    angle : float, default 0
        Direction of the x axis, counter-clockwise to the viewer from the film's rows [degrees].
    y_up : bool, default False
        Whether y points up, rather than down as the film's rows are counted.
    unit : str, default "px"
        Unit of length.
    """

    scale: float = 1.0
    scale_error: float = 0.0
    origin: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    y_up: bool = False
    unit: str = "px"

    def of_pixels(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the coordinates of places in pixels.

        Parameters
        ----------
        x, y : shape ``(...)``
            Columns and rows in the film [pixels].

        Returns
        -------
        tuple of arrays
            x and y along the axes.
        """
        right, down = self.scale * (x - self.origin[0]), self.scale * (y - self.origin[1])
        c, s = cos(radians(self.angle)), sin(radians(self.angle))
        along, across = c * right - s * down, s * right + c * down  # the second one points down in the turned frame
        return along, -across if self.y_up else across

    def to_pixels(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pixels of places, the inverse of `of_pixels`.

        Parameters
        ----------
        x, y : shape ``(...)``
            Places along the axes.

        Returns
        -------
        tuple of arrays
            Columns and rows in the film [pixels].
        """
        c, s = cos(radians(self.angle)), sin(radians(self.angle))
        across = -y if self.y_up else y
        right, down = c * x + s * across, -s * x + c * across
        return right / self.scale + self.origin[0], down / self.scale + self.origin[1]


def axes_of(scale: Any, origin: Sequence[float] | None, angle: float, y_up: bool | None) -> Axes:
    """Return axes from what a user gives; see `systems.film.track_points`. Raises InputError."""
    size, error, unit = 1.0, 0.0, "px"
    if isinstance(scale, Real):
        size, unit = real("scale", scale), "m"
        if size <= 0:
            raise InputError(f"scale must be a positive number of metres per pixel, not {scale}")
    elif scale is not None:
        try:
            (x, y), (u, v), length = scale
            pixels, metres = hypot(float(u) - float(x), float(v) - float(y)), float(length)
        except (TypeError, ValueError):
            pixels, metres = 0.0, 0.0
        if not (pixels > 0 and metres > 0 and isfinite(pixels) and isfinite(metres)):
            raise InputError(
                "scale must be metres per pixel, or two pixels and their distance in metres, such as "
                f"((100, 400), (300, 400), 1.0), not {scale!r}"
            )
        size, error, unit = metres / pixels, sqrt(2) * CLICK / pixels, "m"
    try:
        place = (0.0, 0.0) if origin is None else (float(origin[0]), float(origin[1]))
        wrong = origin is not None and len(origin) != 2
    except (TypeError, ValueError, IndexError):
        wrong = True
    if wrong or not (isfinite(place[0]) and isfinite(place[1])):
        raise InputError(f"origin must be a pixel (x, y), not {origin!r}")
    up = (scale is not None or origin is not None) if y_up is None else bool(y_up)
    return Axes(size, error, place, real("angle", angle), up, unit)
