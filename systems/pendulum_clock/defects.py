"""What spoils a film: each defect by itself, reproducible from a seed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import cos, isfinite, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.pendulum_clock.scene import Clock, Point, Shape, hand

RANGES = {  # what each may be, and why not more
    "noise": (0, 100),
    "exposure": (0, 1),
    "compression": (0, 51),  # the scale of H.264
    "uneven_light": (0, 0.95),
    "shake": (0, 50),
    "rotation": (-360, 360),
    "yaw": (-45, 45),  # beyond it, a frame sees past the horizon of the wall
    "distortion": (-0.4, 0.4),  # beyond it, the corners of the frame see no point of the scene
    "dropped": (0, 0.9),
    "duplicated": (0, 0.9),
    "variable_rate": (0, 0.25),  # beyond it, frames would change places
    "hand": (0, 1000),
    "rolling_shutter": (0, 1),
}
PURPOSES = ("schedule", "shake", "light", "noise", "hand")  # so that no defect changes the random numbers of another
LUMA = (0.299, 0.587, 0.114)
SPARE = 64  # pixels by which the pool of noise is larger than a frame, to each side


@dataclass(frozen=True)
class Defects:
    """How a film differs from an ideal one; by default not at all.

    noise: rms of the noise of each pixel [grey levels of 255]; that of each colour by itself is half as large again.
    exposure: the part of the time of a frame during which its shutter is open: motion blurs. Centred on the time stamp.
    compression: from 0, hardly any, to 51, as H.264 counts it; telephones are near 25.
    uneven_light: by which part the darkest corner is darker than the brightest.
    shake: rms of the camera's smooth motion, below 5 Hz, in either direction [pixels of the frame].
    rotation: of the picture, counter-clockwise to the viewer [degrees]; at 90 the film lies on its side.
    yaw: by how much the camera looks from the side [degrees]; the right side is the farther one.
    distortion: k1 of the lens, as OpenCV defines it, with the focal length `camera.FOCAL_LENGTH`; negative for a barrel.
    dropped: the part of the frames that are missing; the time stamps leave a gap there.
    duplicated: the part of the frames that show the picture of the frame before.
    variable_rate: rms of the jitter of the frames' times, in frames.
    hand: how many times a hand reaches in and hides a marker, or both.
    rolling_shutter: the part of the time of a frame from its first row to its last: what moves leans; shaking stays as it is.

    Raises InputError for what is out of range.
    """

    noise: float = 0.0
    exposure: float = 0.0
    compression: float = 0.0
    uneven_light: float = 0.0
    shake: float = 0.0
    rotation: float = 0.0
    yaw: float = 0.0
    distortion: float = 0.0
    dropped: float = 0.0
    duplicated: float = 0.0
    variable_rate: float = 0.0
    hand: int = 0
    rolling_shutter: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, (low, high) = getattr(self, field.name), RANGES[field.name]
            if not (isfinite(value) and low <= value <= high):
                raise InputError(f"{field.name} of a film must be from {low} to {high}, not {value}")
        if self.hand != int(self.hand):
            raise InputError(f"hand counts how many times a hand reaches in, so it must be a whole number, not {self.hand}")

    @classmethod
    def moderate(cls) -> Defects:
        """As in a film taken by hand with a telephone, held on its side and not quite straight; with a global shutter."""
        return cls(
            noise=4.0,
            exposure=0.5,
            compression=24.0,
            uneven_light=0.4,
            shake=1.0,
            rotation=92.0,
            yaw=10.0,
            distortion=-0.05,
            dropped=0.02,
            duplicated=0.02,
            variable_rate=0.05,
            hand=1,
        )


def random(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers for one of the purposes."""
    return np.random.default_rng([seed, PURPOSES.index(purpose)])


def schedule(defects: Defects, frames: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """When each frame is taken, in frames, and whether it repeats the one before; the first is neither late nor dropped."""
    rng = random(seed, "schedule")
    time = np.arange(frames, dtype=float)
    time[1:] += defects.variable_rate * sqrt(3) * rng.uniform(-1, 1, frames - 1)
    kept = np.ones(frames, dtype=bool)
    kept[1 + rng.permutation(frames - 1)[: round(defects.dropped * (frames - 1))]] = False
    time = time[kept]
    repeats = np.zeros(len(time), dtype=bool)
    repeats[1 + rng.permutation(len(time) - 1)[: round(defects.duplicated * (len(time) - 1))]] = True
    return time, repeats


def camera_motion(defects: Defects, t: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """By how much the picture is moved at times t, ``(T, 2)``, in steps of 1/32 pixel, in which cv2.warpAffine is exact."""
    rng = random(seed, "shake")
    parts = 8
    frequency = rng.uniform(0.2, 5, (parts, 2))
    phase = rng.uniform(0, 2 * pi, (parts, 2))
    waves = np.zeros((len(t), 2))
    for f, p in zip(frequency, phase, strict=True):
        waves += np.sin(2 * pi * np.outer(t, f) + p)
    return np.asarray(np.round(32 * defects.shake * sqrt(2 / parts) * waves) / 32)


def light(defects: Defects, size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """By what the light of each pixel is multiplied, ``(height, width)``: from 1 down to 1 - uneven_light."""
    angle = random(seed, "light").uniform(0, 2 * pi)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    dark = (cos(angle) * x + sin(angle) * y) + 0.5 * (x * x + y * y)
    dark = (dark - dark.min()) / (dark.max() - dark.min())
    return np.asarray(1 - defects.uneven_light * dark, dtype=np.float32)


class Noise:
    """Noise for frame after frame: each takes another part of one pool, the same for the same seed."""

    def __init__(self, defects: Defects, size: tuple[int, int], seed: int) -> None:
        self.size, self.rng = size, random(seed, "noise")
        shape = (size[1] + SPARE, size[0] + SPARE, 3)
        pool = np.rint(self.rng.standard_normal(shape, dtype=np.float32) * (defects.noise / sqrt(sum(w * w for w in LUMA))))
        self.brighter = np.clip(pool, 0, 255).astype(np.uint8)
        self.darker = np.clip(-pool, 0, 255).astype(np.uint8)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Add noise to a picture, in place; what would leave 0 to 255 is cut off there."""
        import cv2

        left, top = self.rng.integers(0, SPARE, 2).tolist()
        part = np.s_[top : top + self.size[1], left : left + self.size[0]]
        brighter, darker = (self.brighter, self.darker) if self.rng.random() < 0.5 else (self.darker, self.brighter)
        cv2.add(picture, brighter[part], dst=picture)
        cv2.subtract(picture, darker[part], dst=picture)


class Hand:
    """A hand that reaches in from the left, the right or below, now and then, holds on to a marker, and goes again."""

    def __init__(self, defects: Defects, clocks: list[Clock], size: tuple[int, int], duration: float, seed: int) -> None:
        rng = random(seed, "hand")
        self.unit = float(size[1])
        self.visits: list[tuple[float, float, Point, Point]] = []  # the middle, half of the duration, the goal, from where
        for k in range(int(defects.hand)):
            share = duration / defects.hand
            half = min(0.8, share / 4)
            middle = share * (k + 0.5) + rng.uniform(-0.2, 0.2) * share
            clock = clocks[rng.integers(len(clocks))]
            goal = clock.markers(np.zeros(()))[rng.integers(2)].tolist()
            direction = [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0)][rng.integers(3)]
            self.visits.append((middle, half, (goal[0], goal[1]), direction))
        self.reach = 1.2 * max(size)

    def present(self, t: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a visit is going on at times t."""
        going = np.zeros(t.shape, dtype=bool)
        for middle, half, _, _ in self.visits:
            going |= np.abs(t - middle) < half
        return going

    def shapes(self, t: float) -> list[Shape]:
        """What is seen of it at time t; nothing between the visits."""
        for middle, half, goal, direction in self.visits:
            if abs(t - middle) < half:
                away = self._away(t, middle, half)
                tip = (goal[0] - away * direction[0], goal[1] - away * direction[1])
                return hand(tip, direction, self.unit)
        return []

    def way(self, start: float, end: float) -> float:
        """How far it moves from start to end [pixels]."""
        return max((abs(self._away(end, m, h) - self._away(start, m, h)) for m, h, _, _ in self.visits), default=0.0)

    def _away(self, t: float, middle: float, half: float) -> float:
        return float(self.reach * sin(pi / 2 * min(abs(t - middle) / half, 1)) ** 4)

    def clearance(self, t: float, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """How far points ``(..., 2)`` are from it."""
        clear = np.full(points.shape[:-1], np.inf)
        for shape in self.shapes(t):
            clear = np.minimum(clear, shape.distance(points[..., 0], points[..., 1]))
        return clear
