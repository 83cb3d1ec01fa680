"""The frames of a film of pendulum clocks: when they are taken, where things are then, and the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.film.rendering import clock_scene
from systems.film.rendering.camera import Camera
from systems.film.rendering.clock_film import Film
from systems.film.rendering.defects import Defects
from systems.film.rendering.frames import Exposures, Frames
from systems.film.rendering.shapes import Box, Disc, Shape, boxes, paint
from systems.film.rendering.truth import Truth


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
        self.exposures = Exposures.of(float(t[-1] - t[0]), film.fps, defects, seed)
        self.scene = _Clocks(lambda time: angle(np.asarray(time) + t[0]), film, self.exposures.exposed)
        at_rest = np.stack([clock.markers(np.zeros(())) for clock in self.scene.clocks])
        self.frames = Frames(self.scene, self.exposures, film.fps, at_rest, self.scene.clocks[0].marker, defects, seed)
        self.scene.check_room(self.frames.camera)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames [pixels]."""
        return self.frames.camera.size

    def truth(self) -> Truth:
        """Return what the pictures show."""
        scene = self.scene
        at_rest = np.stack([clock.markers(theta) for clock, theta in zip(scene.clocks, scene.theta, strict=True)])
        points, visible = self.frames.seen(at_rest)  # shape (clocks, frames, markers, 2)
        each = slice(None) if scene.several else 0
        return Truth(
            t=self.exposures.t,
            exposed=self.exposures.exposed,
            duplicate=self.exposures.duplicate,
            theta=scene.theta[each],
            upper=points[each, ..., 0, :],
            lower=points[each, ..., 1, :],
            upper_visible=visible[each, ..., 0],
            lower_visible=visible[each, ..., 1],
        )

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames ``(height, width, 3)`` in red, green and blue; each is valid until the next is requested."""
        return self.frames.pictures()


class _Clocks:
    """Clocks side by side, whose angles are a function of the time since the start of the film."""

    def __init__(
        self, angle: Callable[[NDArray[np.float64]], NDArray[np.float64]], film: Film, exposed: NDArray[np.float64]
    ) -> None:
        self.angle, self.film, self.size = angle, film, film.size
        theta = angle(exposed)
        self.several = theta.ndim == 2
        self.theta = np.atleast_2d(theta)
        if len(self.theta) > len(film.markers):
            raise InputError(
                f"{len(self.theta)} clocks need as many pairs of colours, but the film's markers have {len(film.markers)}; "
                "add pairs to markers"
            )
        self.clocks = clock_scene.clocks(film, len(self.theta), float(np.abs(self.theta).max()))
        # one tick of the hands per swing
        self.ticks = np.cumsum(np.diff(self.theta >= 0, axis=1, prepend=self.theta[:, :1] >= 0), axis=1)
        self.dials: _Dials | None = None

    def body(self) -> list[Shape]:
        return [shape for clock in self.clocks for shape in clock.body(self.film.case)]

    def moving(self, time: NDArray[np.float64]) -> list[list[list[Shape]]]:
        theta = np.atleast_2d(self.angle(time))
        return [[clock.pendulum(a) for a in angles] for clock, angles in zip(self.clocks, theta.tolist(), strict=True)]

    def way(self, start: float, end: float) -> float:
        turn = float(np.abs(np.diff(self.angle(np.array([start, end])))).max())
        return max(clock.rod for clock in self.clocks) * turn

    def changes(self, frame: int, bare: NDArray[np.float32], camera: Camera) -> Iterator[Box]:
        if self.film.hands:
            if self.dials is None or self.dials.bare is not bare:
                self.dials = _Dials(self.clocks, camera, bare)
            yield from self.dials.turn(self.ticks[:, frame].tolist())

    def check_room(self, camera: Camera) -> None:
        width, height = camera.size
        around = 2 * np.pi * np.arange(16)[:, None] / 16
        for clock, theta in zip(self.clocks, self.theta, strict=True):
            centres = clock.markers(np.linspace(theta.min(), theta.max(), 65))[:, 1]
            edge = centres + clock.bob * np.stack([np.cos(around), np.sin(around)], -1)
            points = camera.to_frame(edge)
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
