"""Films of pendulum clocks, rendered from known orbits: for who has no film, and as the truth for who reads films."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, isfinite

import numpy as np
import pandas
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from torch import Tensor
from tqdm.auto import tqdm

from systems.atomic import atomically
from systems.errors import InputError
from systems.orbit import Orbit
from systems.pendulum_clock import scene, video
from systems.pendulum_clock.camera import Camera
from systems.pendulum_clock.defects import Defects, Hand, Noise, camera_motion, light, schedule
from systems.system import System

COLOURS: dict[str, scene.RGB] = {  # bright and pure, so that they survive the coarse colour of yuv420
    "red": (214, 24, 32),
    "blue": (20, 84, 214),
    "green": (12, 148, 62),
    "magenta": (204, 28, 172),
    "yellow": (250, 214, 16),
    "cyan": (0, 178, 208),
}
BLUR_STEP = 0.5  # pixels between the sub-frames of one exposure: their steps do not show
MOST_SUBFRAMES = 12  # which only a hand ever needs
BANDS = 24  # of rows, each exposed at once, in a frame of a rolling shutter: a bob moves half a pixel from one to the next


@dataclass(frozen=True)
class Film:
    """The settings of a film. Lengths are in pixels; those that are None go in proportion to its height.

    size: (width, height), even. fps: frames a second. pivot: (x, y) from the upper left, by default in the middle; of several
    clocks, the middle of theirs. rod: from the pivot to the middle of the bob. bob, marker: radii. markers: the colours of the
    upper and the lower marker of each clock, by name or as (red, green, blue). case, hands: whether there are any.

    Raises InputError for what makes no film.
    """

    size: tuple[int, int] = (1280, 720)
    fps: float = 30.0
    pivot: tuple[float, float] | None = None
    rod: float | None = None
    bob: float | None = None
    marker: float | None = None
    markers: tuple[tuple[str | scene.RGB, str | scene.RGB], ...] = (("red", "blue"), ("green", "magenta"), ("yellow", "cyan"))
    case: bool = True
    hands: bool = True

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(isinstance(n, int) and n >= 32 and n % 2 == 0 for n in self.size):
            raise InputError(f"size of a film must be an even width and height of at least 32 pixels, not {self.size}")
        if not (isfinite(self.fps) and 1 <= self.fps <= 1000):
            raise InputError(f"fps of a film must be from 1 to 1000, not {self.fps}")
        for name in ("rod", "bob", "marker"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                raise InputError(f"{name} of a film must be a positive number of pixels, not {value}")
        _ = self.colours

    @property
    def colours(self) -> tuple[tuple[scene.RGB, scene.RGB], ...]:
        """``markers`` as (red, green, blue)."""
        return tuple((_colour(upper), _colour(lower)) for upper, lower in self.markers)


@dataclass(frozen=True, eq=False)
class Truth:
    """What a film shows, frame by frame: F frames, of one clock, or with a leading axis of N clocks ``(N, F, ...)``.

    t: ``(F,)`` time stamps [s] of the frames in the file, from 0. exposed: ``(F,)`` the middle of the exposure of the picture
    that is seen, which of a duplicate is that of a frame before; with a rolling shutter, of its middle row. duplicate:
    ``(F,)``. theta: ``(..., F)`` the angle [rad] at ``exposed``, positive to the viewer's right; gravity points down in the
    scene, before the camera turns it. upper, lower: ``(..., F, 2)`` x and y of the centres of the markers, at ``exposed``,
    in the written frame, after all that the camera did [pixels; x to the right, y down, the first pixel's middle is (0, 0)].
    upper_visible, lower_visible: ``(..., F)`` whether all of the marker is seen: inside the frame, and no hand in front.
    """

    t: NDArray[np.float64]
    exposed: NDArray[np.float64]
    duplicate: NDArray[np.bool_]
    theta: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper_visible: NDArray[np.bool_]
    lower_visible: NDArray[np.bool_]

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.t)

    def to_frame(self) -> pandas.DataFrame:
        """One row a frame; of several clocks, one row a frame and clock, the column ``clock`` counting from 0."""
        tables = []
        several = self.theta.ndim == 2
        for k, theta in enumerate(np.atleast_2d(self.theta)):
            upper, lower = (a[k] if several else a for a in (self.upper, self.lower))
            seen = [a[k] if several else a for a in (self.upper_visible, self.lower_visible)]
            columns = {"clock": np.full(len(self), k)} if several else {}
            columns |= {"t": self.t, "exposed": self.exposed, "duplicate": self.duplicate, "theta": theta}
            columns |= {"upper_x": upper[:, 0], "upper_y": upper[:, 1], "upper_visible": seen[0]}
            columns |= {"lower_x": lower[:, 0], "lower_y": lower[:, 1], "lower_visible": seen[1]}
            tables.append(pandas.DataFrame(columns))
        return pandas.concat(tables, ignore_index=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """`to_frame` as a CSV file; beside the film, ``truth.save(Path(film).with_suffix(".csv"))``."""
        with atomically(path) as temporary:
            self.to_frame().to_csv(temporary, index=False)


def render(
    orbit: Orbit | tuple[ArrayLike, ArrayLike],
    path: str | os.PathLike[str],
    film: Film | None = None,
    defects: Defects | None = None,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Truth:
    """Film a clock whose angle is known, and say what the film shows.

    orbit: times in seconds and angles in radians, an `Orbit` with a coordinate theta or a pair (t, theta), theta ``(T,)``, or
    ``(N, T)`` for N clocks side by side. Between the times the angle goes along a cubic, so take ten or more of them a swing.
    theta is positive to the viewer's right; gravity points down. Time stamps count from t[0], where the film starts.
    path: an .mp4; H.264, or MPEG-4 where PyAV comes without it. seed: of the defects; the same seed gives the same film.

    Memory does not grow with the length, but for the truth, about a hundred bytes a frame and clock.

    Raises InputError for times that do not increase, swings that leave the frame, and a path that cannot be written to.
    """
    film, defects = film or Film(), defects or Defects()
    target = video.target(path)
    t, theta = _angles(orbit)
    shooting = _Shooting(t, theta, film, defects, seed)
    with atomically(target) as temporary:
        pictures = tqdm(
            shooting.pictures(), total=len(shooting.t), disable=not progress, desc="filming", unit="frame", leave=False
        )
        video.write(temporary, pictures, shooting.stamps, shooting.camera.size, film.fps, defects.compression)
    return shooting.truth()


def render_clock(
    clock: System,
    z0: Float[Tensor, "*clocks 2"] | ArrayLike,
    duration: float,
    path: str | os.PathLike[str],
    film: Film | None = None,
    defects: Defects | None = None,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Truth:
    """Film a system with a coordinate theta from the state z0, for so many seconds; its unit of time is taken as a second.

    ``PendulumClock(frequency=2 * pi / 2.027)`` swings in 2.027 s; with its default frequency of 1 a swing takes 6.28 s.
    z0: ``(2,)``, or ``(N, 2)`` for N clocks side by side. The rest is as in `render`.
    """
    film = film or Film()
    if not (isfinite(duration) and duration > 0):
        raise InputError(f"duration of a film must be a positive number of seconds, not {duration}")
    video.target(path)  # before the orbit, which takes its time
    steps = max(4, ceil(4 * duration * film.fps))
    orbit = clock.orbit(torch.as_tensor(z0, dtype=torch.float64), torch.linspace(0, duration, steps + 1, dtype=torch.float64))
    return render(orbit, path, film, defects, seed=seed, progress=progress)


def still(theta: float, film: Film | None = None) -> NDArray[np.uint8]:
    """A picture of a clock whose pendulum is at an angle: red, green and blue, ``(height, width, 3)``.

    theta: in radians, positive to the viewer's right. Raises InputError where the pendulum would leave the frame.
    """
    t, angle = _angles((np.arange(4.0), np.full(4, theta)))
    return next(_Shooting(t, angle, film or Film(), Defects(), 0).pictures())


class _Shooting:
    """All there is to a film but the file: when its frames are taken, where things are then, and the pictures."""

    def __init__(
        self,
        t: NDArray[np.float64],
        angle: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        film: Film,
        defects: Defects,
        seed: int,
    ) -> None:
        self.film, self.defects, self.seed = film, defects, seed
        self.angle = lambda time: angle(np.asarray(time) + t[0])  # of times since the film began
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
                f"{len(self.theta)} clocks need as many pairs of colours, and markers of the film has {len(film.markers)}; "
                "give it more"
            )
        self.clocks = scene.clocks(film, len(self.theta), float(np.abs(self.theta).max()))
        self.camera = Camera(film.size, yaw=defects.yaw, distortion=defects.distortion, rotation=defects.rotation)
        self.shift = camera_motion(defects, self.exposed, seed)
        self.hand = Hand(defects, self.clocks, film.size, duration, seed)
        self._check_room()

    def truth(self) -> Truth:
        """What the pictures show."""
        at_rest = np.stack([clock.markers(theta) for clock, theta in zip(self.clocks, self.theta, strict=True)])
        points = self.camera.to_frame(at_rest) + self.shift[:, None, :]  # (clocks, frames, markers, 2)
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
        """Frame after frame, ``(height, width, 3)`` red, green and blue; each to be used before the next is asked for."""
        import cv2

        width, height = self.camera.size
        shade = light(self.defects, self.camera.size, self.seed)
        noise = Noise(self.defects, self.camera.size, self.seed) if self.defects.noise else None
        bare = self._bare()
        lit = np.ascontiguousarray(_developed(bare, shade))
        dials = _Dials(self.clocks, self.camera, bare) if self.film.hands else None
        ticks = np.cumsum(np.diff(self.theta >= 0, axis=1, prepend=self.theta[:, :1] >= 0), axis=1)  # one a swing
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
        """The scene without what moves, evenly lit, ``(3, height, width)``."""
        x, y, _ = self.camera.scene_at_pixels
        bare = scene.wall(x, y).astype(np.float32, order="C")
        for clock in self.clocks:
            body = clock.body(self.film.case)
            scene.paint(bare, body, scene.boxes(body, self.camera), self.camera)
        return bare

    def _bands(self) -> list[tuple[tuple[int, int], float]]:
        """The rows (first, beyond the last) that are exposed at once, and by how much later than the middle row."""
        height = self.camera.size[1]
        if self.defects.rolling_shutter == 0:
            return [((0, height), 0.0)]
        edges = np.linspace(0, height, min(BANDS, height) + 1).astype(int).tolist()
        a_row = self.defects.rolling_shutter / self.film.fps / height
        return [((low, high), a_row * (low + high - height) / 2) for low, high in pairwise(edges)]

    def _moving(
        self, bare: NDArray[np.float32], exposed: float, rows: tuple[int, int]
    ) -> Iterator[tuple[scene.Box, NDArray[np.float32]]]:
        """The boxes of these rows in which something moves, and what is seen there, averaged over the exposure, evenly lit."""
        n = self._subframes(exposed)
        time = exposed + self.open * ((np.arange(n) + 0.5) / n - 0.5)
        theta = np.atleast_2d(self.angle(time))
        pendulums = [[clock.pendulum(a) for a in angles] for clock, angles in zip(self.clocks, theta.tolist(), strict=True)]
        hands = [self.hand.shapes(a) for a in time.tolist()]
        together = [[[*(shape for p in pendulums for shape in p[k]), *hands[k]] for k in range(n)]]
        for group in together if any(hands) else pendulums:  # a hand may cover any of the clocks
            parts = scene.boxes([shape for shapes in group for shape in shapes], self.camera)
            parts = [(left, max(top, rows[0]), right, min(bottom, rows[1])) for left, top, right, bottom in parts]
            box = left, top, right, bottom = scene.around(parts)
            exposure = np.zeros((3, bottom - top, right - left), np.float32)
            done = 0
            for shapes in group:
                canvas = bare[:, top:bottom, left:right].copy()
                scene.paint(canvas, shapes, parts[done : done + len(shapes)], self.camera, (left, top))
                exposure += canvas
                done += len(shapes)
            yield box, exposure / np.float32(n)

    def _subframes(self, exposed: float) -> int:
        """How many pictures make up an exposure, so that nothing moves much from one to the next."""
        if self.open == 0:
            return 1
        ends = [exposed - self.open / 2, exposed + self.open / 2]
        way = max(clock.rod for clock in self.clocks) * float(np.abs(np.diff(self.angle(np.array(ends)))).max())
        way = max(way, self.hand.way(*ends))
        return min(max(ceil(way / BLUR_STEP), 1), MOST_SUBFRAMES)

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
    """The dials with their hands, painted anew only when they tick."""

    def __init__(self, clocks: list[scene.Clock], camera: Camera, bare: NDArray[np.float32]) -> None:
        self.clocks, self.camera, self.bare = clocks, camera, bare
        self.ticks = [-1] * len(clocks)
        self.boxes = scene.boxes([scene.Disc(clock.dial, 0.12 * clock.unit, scene.INK) for clock in clocks], camera)
        self.empty = [bare[:, top:bottom, left:right].copy() for left, top, right, bottom in self.boxes]

    def turn(self, ticks: list[int]) -> Iterator[scene.Box]:
        """Set the hands, and say where that changed the picture."""
        for k, box in enumerate(self.boxes):
            if ticks[k] != self.ticks[k]:
                left, top, right, bottom = box
                self.bare[:, top:bottom, left:right] = self.empty[k]
                hands = self.clocks[k].hands(ticks[k])
                scene.paint(self.bare, hands, scene.boxes(hands, self.camera), self.camera)
                self.ticks[k] = ticks[k]
                yield box


def _developed(exposure: NDArray[np.float32], shade: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``(3, height, width)`` of light as ``(height, width, 3)`` of grey levels."""
    return np.clip(np.rint(exposure * shade), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def _colour(colour: str | scene.RGB) -> scene.RGB:
    if isinstance(colour, str):
        if colour not in COLOURS:
            raise InputError(f"no colour {colour!r}; there are {', '.join(COLOURS)}, and any (red, green, blue) of 0 to 255")
        return COLOURS[colour]
    if len(colour) != 3 or not all(0 <= part <= 255 for part in colour):
        raise InputError(f"a colour must be a name or three numbers (red, green, blue) of 0 to 255, not {colour}")
    return colour


def _angles(
    orbit: Orbit | tuple[ArrayLike, ArrayLike],
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """The times, and the angles ``(...)`` or ``(N, ...)`` as a function of time."""
    rate: NDArray[np.float64] | None = None
    if isinstance(orbit, Orbit):
        index = orbit.index("theta")
        t, theta = _numbers(orbit.t), _numbers(orbit.z[..., index])
        rate = None if orbit.rate is None else _numbers(orbit.rate[..., index])
    else:
        t, theta = map(_numbers, orbit)
    if t.ndim != 1 or len(t) < 2 or theta.ndim not in (1, 2) or theta.shape[-1] != len(t):
        raise InputError(
            f"a film needs times (T,) and angles (T,), or (N, T) of N clocks, for two times or more, "
            f"not {t.shape} and {theta.shape}"
        )
    if not (np.isfinite(t).all() and np.isfinite(theta).all() and (rate is None or np.isfinite(rate).all())):
        raise InputError("times and angles of a film must be finite, and some are not")
    if not (np.diff(t) > 0).all():
        later = int(np.flatnonzero(np.diff(t) <= 0)[0]) + 1
        raise InputError(f"times of a film must increase, but t[{later}] = {t[later]:g} follows {t[later - 1]:g}")
    if rate is not None:
        return t, CubicHermiteSpline(t, theta, rate, axis=-1)
    return t, CubicSpline(t, theta, axis=-1)


def _numbers(values: ArrayLike | Tensor) -> NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)
