"""OpenCV, or the sentence that says how to install it."""

from typing import TYPE_CHECKING

from systems.extras import require

if TYPE_CHECKING:
    import cv2
else:
    cv2 = require("cv2", "film", "rendering or tracking films")

__all__ = ["cv2"]
