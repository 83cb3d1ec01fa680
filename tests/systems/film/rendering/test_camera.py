"""The camera against OpenCV's."""

from math import hypot, radians

import cv2
import numpy as np
import pytest

from systems.film.rendering.camera import FOCAL_LENGTH, Camera

SIZE = (640, 360)


@pytest.mark.parametrize(("yaw", "distortion"), [(0, -0.2), (0, 0.2), (25, 0), (-25, -0.1)])
def test_the_camera_is_that_of_opencv(yaw, distortion):
    f, (x, y) = FOCAL_LENGTH * hypot(*SIZE), ((SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2)
    matrix = np.array([[f, 0, x], [0, f, y], [0, 0, 1]])
    points = np.random.default_rng(0).uniform([0, 0], SIZE, (50, 2))
    solid = np.column_stack([points - [x, y], np.zeros(50)])
    turn = np.array([0, -radians(yaw), 0])  # moves the right side away from the camera
    expected, _ = cv2.projectPoints(solid, turn, np.array([0, 0, f]), matrix, np.array([distortion, 0, 0, 0.0]))
    camera = Camera(SIZE, yaw=yaw, distortion=distortion)
    assert camera.to_frame(points) == pytest.approx(expected[:, 0], abs=1e-9)
    assert camera.to_scene(camera.to_frame(points)) == pytest.approx(points, abs=1e-9)
