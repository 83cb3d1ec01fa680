"""A pinhole camera that maps a flat scene to the frames of a film, with an oblique view and an imperfect lens."""

from __future__ import annotations

from functools import cached_property
from math import cos, hypot, radians, sin

import numpy as np
from numpy.typing import NDArray

FOCAL_LENGTH = 0.87  # in diagonals of the frame: a telephone's, which sees 60 degrees from corner to corner


class Camera:
    """The geometry of a film: yaw, then radial distortion, then rotation, each about the middle of the frame.

    Scene and frame are measured in pixels, with x to the right and y down; integers are the middles of pixels. Without
    defects, the camera leaves every point where it is. The attribute ``size`` is that of the frames, (width, height); the
    sides are swapped for a film that lies on its side.

    Parameters
    ----------
    scene
        Width and height of the scene [pixels].
    yaw : default 0
        Angle by which the camera looks from the side [degrees]; a positive yaw moves the right side of the scene away.
    distortion : default 0
        Coefficient k1 of OpenCV's lens model, r (1 + k1 r^2), with r in units of the focal length.
    rotation : default 0
        Rotation of the picture, counter-clockwise to the viewer [degrees].
    """

    def __init__(self, scene: tuple[int, int], *, yaw: float = 0.0, distortion: float = 0.0, rotation: float = 0.0) -> None:
        on_its_side = abs(sin(radians(rotation))) > abs(cos(radians(rotation)))
        self.size = (scene[1], scene[0]) if on_its_side else scene
        self.focal_length = FOCAL_LENGTH * hypot(*scene)
        self.middle_of_scene = (np.array(scene) - 1) / 2
        self.middle = (np.array(self.size) - 1) / 2
        self.yaw, self.distortion = radians(yaw), distortion
        c, s = (np.round(f(radians(rotation)), 15) for f in (cos, sin))  # rounded so that quarter turns are exact
        self.turn = np.array([[c, s], [-s, c]])  # counter-clockwise to the viewer, because y points down

    def to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map points of the scene to the frame.

        Parameters
        ----------
        points : shape ``(..., 2)``
            Points of the scene [pixels].

        Returns
        -------
        shape ``(..., 2)``
            The same points in the frame [pixels].
        """
        x, y = np.moveaxis((points - self.middle_of_scene) / self.focal_length, -1, 0)
        depth = 1 + x * sin(self.yaw)
        x, y = x * cos(self.yaw) / depth, y / depth
        stretch = 1 + self.distortion * (x * x + y * y)
        return np.asarray(np.stack([x * stretch, y * stretch], -1) @ self.turn.T * self.focal_length + self.middle)

    def to_scene(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map points of the frame to the scene; the inverse of `to_frame`.

        Parameters
        ----------
        points : shape ``(..., 2)``
            Points of the frame [pixels].

        Returns
        -------
        shape ``(..., 2)``
            The same points in the scene [pixels].
        """
        x, y = np.moveaxis((points - self.middle) @ self.turn / self.focal_length, -1, 0)
        if self.distortion:
            distorted = np.hypot(x, y)
            r = distorted
            for _ in range(8):  # Newton steps, each of which doubles the number of correct digits
                r = r - (r + self.distortion * r**3 - distorted) / (1 + 3 * self.distortion * r**2)
            stretch = np.divide(r, distorted, out=np.ones_like(r), where=distorted > 0)
            x, y = x * stretch, y * stretch
        x = x / (cos(self.yaw) - x * sin(self.yaw))
        y = y * (1 + x * sin(self.yaw))
        return np.asarray(np.stack([x, y], -1) * self.focal_length + self.middle_of_scene)

    @cached_property
    def scene_at_pixels(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """For each pixel, its x and y in the scene and its width in pixels of the scene, each ``(height, width)``."""
        width, height = self.size
        columns, rows = np.meshgrid(np.arange(width), np.arange(height))
        scene = self.to_scene(np.stack([columns, rows], -1))
        (x_down, x_right), (y_down, y_right) = (np.gradient(scene[..., k]) for k in range(2))
        area = np.abs(x_right * y_down - y_right * x_down)
        return scene[..., 0].astype(np.float32), scene[..., 1].astype(np.float32), np.sqrt(area).astype(np.float32)
