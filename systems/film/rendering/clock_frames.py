"""The frames of a film of pendulum clocks: when they are taken, where things are then, and the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.film.opencv import cv2
from systems.film.rendering import clock_scene, video
from systems.film.rendering.camera import Camera
from systems.film.rendering.clock_film import Film
from systems.film.rendering.defects import Defects, camera_motion, light, schedule
from systems.film.rendering.hand import Hand
from systems.film.rendering.noise import Noise
from systems.film.rendering.shapes import Box, Disc, around, boxes, paint
from systems.film.rendering.truth import Truth

_BLUR_STEP = 0.5  # pixels between the sub-frames of one exposure, small enough that single sub-frames do not show
_MOST_SUBFRAMES = 12  # only a hand ever needs as many
_BANDS = 24  # bands of rows, each exposed at once, per frame of a rolling shutter: a bob moves by half a pixel between bands


class ClockFrames:
    """Everything about a film except for the file.

    Parameters
    ----------
    t : shape ``(T,)``
        Times of the orbit [s]; the film lasts from the first to the last.
    angle
        Angles ``(...)``, or ``(N, ...)`` of N clocks, as a function of times on the same clock as ``t``.
    film
        Settings of the film.
    defects
        Defects of the film.
    seed
        Random seed of the defects.

    Raises
    ------
    InputError
        If there are more clocks than pairs of colours, or a swing leaves the frame or reaches the next clock.
    """

    def __init__(
        self,
        t: NDArray[np.float64],
        angle: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        film: Film,
        defects: Defects,
        seed: int,
    ) -> None:
        self.film, self.defects, self.seed = film, defects, seed
        self.angle = lambda time: angle(np.asarray(time) + t[0])  # takes times since the start of the film
        self.open = defects.exposure / film.fps
        duration = t[-1] - t[0]
        time, self.duplicate = schedule(defects, int(duration * film.fps + 1e-6) + 1, seed)
        self.stamps = np.rint(np.minimum(time / film.fps, duration) * video.TICKS).astype(np.int64)
        self.t = self.stamps / video.TICKS
        frames = np.arange(len(self.t))
        self.exposed = self.t[np.maximum.accumulate(np.where(self.duplicate, 0, frames))]
        theta = self.angle(self.exposed)
        self.several = theta.ndim == 2
        self.theta = np.atleast_2d(theta)
        if len(self.theta) > len(film.markers):
            raise InputError(
                f"{len(self.theta)} clocks need as many pairs of colours, but the film's markers have {len(film.markers)}; "
                "add pairs to markers"
            )
        self.clocks = clock_scene.clocks(film, len(self.theta), float(np.abs(self.theta).max()))
        self.camera = Camera(film.size, yaw=defects.yaw, distortion=defects.distortion, rotation=defects.rotation)
        self.shift = camera_motion(defects, self.exposed, seed)
        at_rest = np.stack([clock.markers(np.zeros(())) for clock in self.clocks])
        self.hand = Hand(defects.hand, at_rest, film.size, duration, seed)
        self._check_room()

    def truth(self) -> Truth:
        """Return what the pictures show."""
        at_rest = np.stack([clock.markers(theta) for clock, theta in zip(self.clocks, self.theta, strict=True)])
        points = self.camera.to_frame(at_rest) + self.shift[:, None, :]  # shape (clocks, frames, markers, 2)
        room = self.clocks[0].marker - 0.5
        inside = (points > room) & (points < np.array(self.camera.size) - 1 - room)
        visible: NDArray[np.bool_] = np.asarray(inside.all(-1))
        for time in (self.exposed - self.open / 2, self.exposed, self.exposed + self.open / 2):
            for i in np.flatnonzero(self.hand.present(time)).tolist():
                visible[:, i] &= self.hand.clearance(float(time[i]), at_rest[:, i]) > self.clocks[0].marker + 1
        each = slice(None) if self.several else 0
        return Truth(
            t=self.t,
            exposed=self.exposed,
            duplicate=self.duplicate,
            theta=self.theta[each],
            upper=points[each, ..., 0, :],
            lower=points[each, ..., 1, :],
            upper_visible=visible[each, ..., 0],
            lower_visible=visible[each, ..., 1],
        )

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames ``(height, width, 3)`` in red, green and blue; each is valid until the next is requested."""
        width, height = self.camera.size
        shade = light(self.defects, self.camera.size, self.seed)
        noise = Noise(self.defects, self.camera.size, self.seed) if self.defects.noise else None
        bare = self._bare()
        lit = np.ascontiguousarray(_developed(bare, shade))
        dials = _Dials(self.clocks, self.camera, bare) if self.film.hands else None
        ticks = np.cumsum(np.diff(self.theta >= 0, axis=1, prepend=self.theta[:, :1] >= 0), axis=1)  # one tick per swing
        picture = lit
        for i, exposed in enumerate(self.exposed):
            if self.duplicate[i]:
                yield picture
                continue
            if dials is not None:
                for left, top, right, bottom in dials.turn(ticks[:, i].tolist()):
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
        bare = clock_scene.wall(x, y).astype(np.float32, order="C")
        for clock in self.clocks:
            body = clock.body(self.film.case)
            paint(bare, body, boxes(body, self.camera), self.camera)
        return bare

    def _bands(self) -> list[tuple[tuple[int, int], float]]:
        """Return bands of rows (first, last + 1) that are exposed at once, and how much later than the middle row each is."""
        height = self.camera.size[1]
        if self.defects.rolling_shutter == 0:
            return [((0, height), 0.0)]
        edges = np.linspace(0, height, min(_BANDS, height) + 1).astype(int).tolist()
        a_row = self.defects.rolling_shutter / self.film.fps / height
        return [((low, high), a_row * (low + high - height) / 2) for low, high in pairwise(edges)]

    def _moving(
        self, bare: NDArray[np.float32], exposed: float, rows: tuple[int, int]
    ) -> Iterator[tuple[Box, NDArray[np.float32]]]:
        """Yield the boxes of these rows in which something moves, and the light there, averaged over the exposure."""
        n = self._subframes(exposed)
        time = exposed + self.open * ((np.arange(n) + 0.5) / n - 0.5)
        theta = np.atleast_2d(self.angle(time))
        pendulums = [[clock.pendulum(a) for a in angles] for clock, angles in zip(self.clocks, theta.tolist(), strict=True)]
        hands = [self.hand.shapes(a) for a in time.tolist()]
        together = [[[*(shape for p in pendulums for shape in p[k]), *hands[k]] for k in range(n)]]
        for group in together if any(hands) else pendulums:  # a hand may cover any of the clocks
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
        ends = [exposed - self.open / 2, exposed + self.open / 2]
        way = max(clock.rod for clock in self.clocks) * float(np.abs(np.diff(self.angle(np.array(ends)))).max())
        way = max(way, self.hand.way(*ends))
        return min(max(ceil(way / _BLUR_STEP), 1), _MOST_SUBFRAMES)

    def _check_room(self) -> None:
        width, height = self.camera.size
        around = 2 * np.pi * np.arange(16)[:, None] / 16
        for clock, theta in zip(self.clocks, self.theta, strict=True):
            centres = clock.markers(np.linspace(theta.min(), theta.max(), 65))[:, 1]
            edge = centres + clock.bob * np.stack([np.cos(around), np.sin(around)], -1)
            points = self.camera.to_frame(edge)
            swing = f"a swing to {np.abs(theta).max():.4g} rad with a rod of {clock.rod:.4g} pixels"
            if not ((points >= 0) & (points <= np.array([width - 1, height - 1]))).all():
                raise InputError(
                    f"{swing} takes the bob out of the frame of {width} x {height} pixels; "
                    "choose a smaller swing, a shorter rod or a larger size"
                )
            if (
                self.several
                and np.abs(centres[:, 0] - clock.pivot[0]).max() + clock.bob > self.film.size[0] / len(self.clocks) / 2
            ):
                raise InputError(
                    f"{swing} takes the bob into the clock beside it; choose a smaller swing, a shorter rod or a larger width"
                )


class _Dials:
    """The dials with their hands, painted anew only when the hands tick."""

    def __init__(self, clocks: list[clock_scene.Clock], camera: Camera, bare: NDArray[np.float32]) -> None:
        self.clocks, self.camera, self.bare = clocks, camera, bare
        self.ticks = [-1] * len(clocks)
        self.boxes = boxes([Disc(clock.dial, 0.12 * clock.unit, clock_scene.INK) for clock in clocks], camera)
        self.empty = [bare[:, top:bottom, left:right].copy() for left, top, right, bottom in self.boxes]

    def turn(self, ticks: list[int]) -> Iterator[Box]:
        """Set the hands, and yield the boxes in which that changed the picture."""
        for k, box in enumerate(self.boxes):
            if ticks[k] != self.ticks[k]:
                left, top, right, bottom = box
                self.bare[:, top:bottom, left:right] = self.empty[k]
                hands = self.clocks[k].hands(ticks[k])
                paint(self.bare, hands, boxes(hands, self.camera), self.camera)
                self.ticks[k] = ticks[k]
                yield box


def _developed(exposure: NDArray[np.float32], shade: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return grey levels ``(height, width, 3)`` for light ``(3, height, width)``."""
    return np.clip(np.rint(exposure * shade), 0, 255).astype(np.uint8).transpose(1, 2, 0)
