"""How points of a flat scene come to lie in the frames of a film, and back: a pinhole camera, oblique and imperfect."""

from __future__ import annotations

from functools import cached_property
from math import cos, hypot, radians, sin

import numpy as np
from numpy.typing import NDArray

FOCAL_LENGTH = 0.87  # in diagonals of the frame: that of a telephone, which sees 60 degrees from corner to corner


class Camera:
    """The geometry of a film: yaw, then radial distortion, then rotation, each about the middle of the frame.

    Scene and frame are in pixels, x to the right and y down; integers are the middles of pixels. A camera without defects
    leaves every point where it is. ``size`` is that of the frames, (width, height): of a film on its side, the other way.

    yaw, rotation: in degrees. yaw moves the right side of the scene away; rotation is counter-clockwise to the viewer.
    distortion: k1 of OpenCV's model, r (1 + k1 r^2), r in units of the focal length.
    """

    def __init__(self, scene: tuple[int, int], *, yaw: float = 0.0, distortion: float = 0.0, rotation: float = 0.0) -> None:
        on_its_side = abs(sin(radians(rotation))) > abs(cos(radians(rotation)))
        self.size = (scene[1], scene[0]) if on_its_side else scene
        self.focal_length = FOCAL_LENGTH * hypot(*scene)
        self.middle_of_scene = (np.array(scene) - 1) / 2
        self.middle = (np.array(self.size) - 1) / 2
        self.yaw, self.distortion = radians(yaw), distortion
        c, s = (np.round(f(radians(rotation)), 15) for f in (cos, sin))  # a quarter of a turn is exact
        self.turn = np.array([[c, s], [-s, c]])  # counter-clockwise to the viewer, for y points down

    def to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where points ``(..., 2)`` of the scene lie in the frame."""
        x, y = np.moveaxis((points - self.middle_of_scene) / self.focal_length, -1, 0)
        depth = 1 + x * sin(self.yaw)
        x, y = x * cos(self.yaw) / depth, y / depth
        stretch = 1 + self.distortion * (x * x + y * y)
        return np.asarray(np.stack([x * stretch, y * stretch], -1) @ self.turn.T * self.focal_length + self.middle)

    def to_scene(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Which points of the scene lie at points ``(..., 2)`` of the frame."""
        x, y = np.moveaxis((points - self.middle) @ self.turn / self.focal_length, -1, 0)
        if self.distortion:
            distorted = np.hypot(x, y)
            r = distorted
            for _ in range(8):  # of Newton, which doubles the digits each time
                r = r - (r + self.distortion * r**3 - distorted) / (1 + 3 * self.distortion * r**2)
            stretch = np.divide(r, distorted, out=np.ones_like(r), where=distorted > 0)
            x, y = x * stretch, y * stretch
        x = x / (cos(self.yaw) - x * sin(self.yaw))
        y = y * (1 + x * sin(self.yaw))
        return np.asarray(np.stack([x, y], -1) * self.focal_length + self.middle_of_scene)

    @cached_property
    def scene_at_pixels(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Of each pixel, x and y of the scene and how many pixels of the scene it is wide, each ``(height, width)``."""
        width, height = self.size
        columns, rows = np.meshgrid(np.arange(width), np.arange(height))
        scene = self.to_scene(np.stack([columns, rows], -1))
        (x_down, x_right), (y_down, y_right) = (np.gradient(scene[..., k]) for k in range(2))
        area = np.abs(x_right * y_down - y_right * x_down)
        return scene[..., 0].astype(np.float32), scene[..., 1].astype(np.float32), np.sqrt(area).astype(np.float32)
