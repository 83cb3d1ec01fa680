"""The frames of a film of any scene: when they are taken, and the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.rendering import video
from systems.film.rendering.camera import Camera
from systems.film.rendering.clock_scene import wall
from systems.film.rendering.defects import Defects, camera_motion, light, schedule
from systems.film.rendering.hand import Hand
from systems.film.rendering.noise import Noise
from systems.film.rendering.shapes import Box, Shape, around, boxes, paint

_BLUR_STEP = 0.5  # pixels between the sub-frames of one exposure, small enough that single sub-frames do not show
_MOST_SUBFRAMES = 12  # only a hand ever needs as many
_BANDS = 24  # bands of rows, each exposed at once, per frame of a rolling shutter: a bob moves by half a pixel between bands


@dataclass(frozen=True)
class Exposures:
    """When the frames of a film are taken.

    Parameters
    ----------
    stamps : shape ``(F,)``
        Time stamps, in units of 1 / TICKS seconds.
    t, exposed : shape ``(F,)``
        Time stamps, and the middles of the exposures of the visible pictures [s].
    duplicate : shape ``(F,)``
        Whether the frame repeats the previous one.
    duration : float
        Duration of the film [s].
    """

    stamps: NDArray[np.int64]
    t: NDArray[np.float64]
    exposed: NDArray[np.float64]
    duplicate: NDArray[np.bool_]
    duration: float

    @classmethod
    def of(cls, duration: float, fps: float, defects: Defects, seed: int) -> Exposures:
        """Draw the times of a film of a given duration [s] and frame rate [1/s]."""
        time, duplicate = schedule(defects, int(duration * fps + 1e-6) + 1, seed)
        stamps = np.rint(np.minimum(time / fps, duration) * video.TICKS).astype(np.int64)
        t = stamps / video.TICKS
        return cls(stamps, t, t[np.maximum.accumulate(np.where(duplicate, 0, np.arange(len(t))))], duplicate, duration)


class Scene(Protocol):
    """What a film shows. Times are those since the start of the film [s], places are in pixels of the scene."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [pixels]."""

    def body(self) -> list[Shape]:
        """Return the shapes that do not move."""

    def moving(self, time: NDArray[np.float64]) -> list[list[list[Shape]]]:
        """Return for each thing that moves, and for each of the times, its shapes."""

    def way(self, start: float, end: float) -> float:
        """Return how far anything moves between two times."""

    def changes(self, frame: int, bare: NDArray[np.float32], camera: Camera) -> Iterator[Box]:
        """Change what stands still in a frame, such as a dial, and yield the boxes in which that changed the picture."""


class Frames:
    """The pictures of a scene.

    Parameters
    ----------
    scene
        What the film shows.
    exposures
        When its frames are taken.
    fps
        Frame rate [1/s].
    targets : shape ``(N, 2, 2)``
        Pairs of points at which a hand aims [pixels].
    radius
        Radius of the markers [pixels].
    defects
        Defects of the film.
    seed
        Random seed of the defects.
    """

    def __init__(
        self,
        scene: Scene,
        exposures: Exposures,
        fps: float,
        targets: NDArray[np.floating],
        radius: float,
        defects: Defects,
        seed: int,
    ) -> None:
        self.scene, self.exposures, self.fps, self.radius = scene, exposures, fps, radius
        self.defects, self.seed = defects, seed
        self.open = defects.exposure / fps
        self.camera = Camera(scene.size, yaw=defects.yaw, distortion=defects.distortion, rotation=defects.rotation)
        self.shift = camera_motion(defects, exposures.exposed, seed)
        self.hand = Hand(defects.hand, targets, scene.size, exposures.duration, seed)

    def seen(self, places: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return where markers are in the frames, and whether they are wholly visible.

        Parameters
        ----------
        places : shape ``(..., F, M, 2)``
            Places of the markers in the scene when each of the F frames is exposed [pixels].

        Returns
        -------
        points : shape ``(..., F, M, 2)``
            Places in the frames [pixels].
        visible : shape ``(..., F, M)``
            Whether the whole marker is visible: inside the frame, with no hand in front.
        """
        points = self.camera.to_frame(places) + self.shift[:, None, :]
        room = self.radius - 0.5
        inside = (points > room) & (points < np.array(self.camera.size) - 1 - room)
        visible: NDArray[np.bool_] = np.asarray(inside.all(-1))
        exposed = self.exposures.exposed
        for time in (exposed - self.open / 2, exposed, exposed + self.open / 2):
            for i in np.flatnonzero(self.hand.present(time)).tolist():
                visible[..., i, :] &= self.hand.clearance(float(time[i]), places[..., i, :, :]) > self.radius + 1
        return points, visible

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames ``(height, width, 3)`` in red, green and blue; each is valid until the next is requested."""
        width, height = self.camera.size
        shade = light(self.defects, self.camera.size, self.seed)
        noise = Noise(self.defects, self.camera.size, self.seed) if self.defects.noise else None
        bare = self._bare()
        lit = np.ascontiguousarray(_developed(bare, shade))
        picture = lit
        for i, exposed in enumerate(self.exposures.exposed):
            if self.exposures.duplicate[i]:
                yield picture
                continue
            for left, top, right, bottom in self.scene.changes(i, bare, self.camera):
                lit[top:bottom, left:right] = _developed(bare[:, top:bottom, left:right], shade[top:bottom, left:right])
            picture = lit.copy()
            for rows, late in self._bands():
                for (left, top, right, bottom), exposure in self._moving(bare, float(exposed) + late, rows):
                    picture[top:bottom, left:right] = _developed(exposure, shade[top:bottom, left:right])
            if self.defects.shake:
                x, y = self.shift[i]
                move = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
                picture = np.asarray(cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
            if noise is not None:
                noise.add(picture)
            yield picture

    def _bare(self) -> NDArray[np.float32]:
        """Return the scene without moving parts, evenly lit, ``(3, height, width)``."""
        x, y, _ = self.camera.scene_at_pixels
        bare = wall(x, y).astype(np.float32, order="C")
        body = self.scene.body()
        paint(bare, body, boxes(body, self.camera), self.camera)
        return bare

    def _bands(self) -> list[tuple[tuple[int, int], float]]:
        """Return bands of rows (first, last + 1) that are exposed at once, and how much later than the middle row each is."""
        height = self.camera.size[1]
        if self.defects.rolling_shutter == 0:
            return [((0, height), 0.0)]
        edges = np.linspace(0, height, min(_BANDS, height) + 1).astype(int).tolist()
        a_row = self.defects.rolling_shutter / self.fps / height
        return [((low, high), a_row * (low + high - height) / 2) for low, high in pairwise(edges)]

    def _moving(
        self, bare: NDArray[np.float32], exposed: float, rows: tuple[int, int]
    ) -> Iterator[tuple[Box, NDArray[np.float32]]]:
        """Yield the boxes of these rows in which something moves, and the light there, averaged over the exposure."""
        n = self._subframes(exposed)
        time = exposed + self.open * ((np.arange(n) + 0.5) / n - 0.5)
        things = self.scene.moving(time)
        hands = [self.hand.shapes(a) for a in time.tolist()]
        together = [[[*(shape for thing in things for shape in thing[k]), *hands[k]] for k in range(n)]]
        for group in together if any(hands) else things:  # a hand may cover any of the things
            parts = boxes([shape for shapes in group for shape in shapes], self.camera)
            parts = [(left, max(top, rows[0]), right, min(bottom, rows[1])) for left, top, right, bottom in parts]
            box = left, top, right, bottom = around(parts)
            exposure = np.zeros((3, bottom - top, right - left), np.float32)
            done = 0
            for shapes in group:
                canvas = bare[:, top:bottom, left:right].copy()
                paint(canvas, shapes, parts[done : done + len(shapes)], self.camera, (left, top))
                exposure += canvas
                done += len(shapes)
            yield box, exposure / np.float32(n)

    def _subframes(self, exposed: float) -> int:
        """Return the number of pictures that make up an exposure, so that nothing moves much from one to the next."""
        if self.open == 0:
            return 1
        ends = exposed - self.open / 2, exposed + self.open / 2
        way = max(self.scene.way(*ends), self.hand.way(*ends))
        return min(max(ceil(way / _BLUR_STEP), 1), _MOST_SUBFRAMES)


def _developed(exposure: NDArray[np.float32], shade: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return grey levels ``(height, width, 3)`` for light ``(3, height, width)``."""
    return np.clip(np.rint(exposure * shade), 0, 255).astype(np.uint8).transpose(1, 2, 0)
