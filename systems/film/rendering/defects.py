"""Defects of rendered films, each independent of the others and reproducible from a seed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import cos, isfinite, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError

_RANGES = {  # smallest and largest value of each defect
    "noise": (0, 100),
    "exposure": (0, 1),
    "compression": (0, 51),
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
_PURPOSES = (
    "schedule",
    "shake",
    "light",
    "noise",
    "hand",
)  # each has random numbers of its own, so that no defect changes another


@dataclass(frozen=True)
class Defects:
    """How a film differs from an ideal one; by default not at all.

    Parameters
    ----------
    noise : default 0
        RMS of each pixel's noise in brightness [grey levels of 255]; that of each colour channel is half as large again.
    exposure : default 0
        Part of the frame interval during which the shutter is open, centred on the time stamp; motion blurs accordingly.
    compression : default 0
        Compression on the scale of H.264, from 0 for hardly any to 51; telephones are near 25.
    uneven_light : default 0
        Part by which the darkest corner is darker than the brightest.
    shake : default 0
        RMS of the camera's smooth motion, below 5 Hz, in each direction [pixels of the frame].
    rotation : default 0
        Rotation of the picture, counter-clockwise to the viewer [degrees]; at 90 the film lies on its side.
    yaw : default 0
        Angle by which the camera looks from the side [degrees]; for a positive yaw the right side is farther away.
    distortion : default 0
        Coefficient k1 of the lens as OpenCV defines it, for the focal length ``camera.FOCAL_LENGTH``; negative for a barrel.
    dropped : default 0
        Part of the frames that are missing; the time stamps leave a gap there.
    duplicated : default 0
        Part of the frames that repeat the picture of the previous frame.
    variable_rate : default 0
        RMS of the jitter of the frames' times [frames].
    hand : default 0
        How many times a hand reaches in and hides one marker or both.
    rolling_shutter : default 0
        Time from the first row of a frame to its last, as a part of the frame interval. Whatever moves leans; the camera's
        shake is unaffected.

    Raises
    ------
    InputError
        If a value is out of range, or ``hand`` is not a whole number.
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
            value, (low, high) = getattr(self, field.name), _RANGES[field.name]
            if not (isfinite(value) and low <= value <= high):
                raise InputError(f"{field.name} of a film must be from {low} to {high}, not {value}")
        if self.hand != int(self.hand):
            raise InputError(f"hand counts how many times a hand reaches in, so it must be a whole number, not {self.hand}")

    @classmethod
    def moderate(cls) -> Defects:
        """Return the defects of a film taken by hand with a telephone, held on its side and not quite straight.

        They include every defect except a rolling shutter.
        """
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
    """Return the random generator for one purpose.

    Parameters
    ----------
    seed
        Random seed of the film.
    purpose
        One of "schedule", "shake", "light", "noise" and "hand".
    """
    return np.random.default_rng([seed, _PURPOSES.index(purpose)])


def schedule(defects: Defects, frames: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw when each frame is taken; the first is neither late nor dropped.

    Parameters
    ----------
    defects
        Defects of the film.
    frames
        Number of frames, including those that will be dropped.
    seed
        Random seed of the film.

    Returns
    -------
    time : shape ``(F,)``
        Time of each remaining frame, in frame intervals.
    repeats : shape ``(F,)``
        Whether each frame repeats the previous one.
    """
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
    """Draw the camera's shake, in steps of 1/32 pixel, in which ``cv2.warpAffine`` is exact.

    Parameters
    ----------
    defects
        Defects of the film.
    t : shape ``(T,)``
        Times [s].
    seed
        Random seed of the film.

    Returns
    -------
    shape ``(T, 2)``
        Shift of the picture at each time [pixels].
    """
    rng = random(seed, "shake")
    parts = 8
    frequency = rng.uniform(0.2, 5, (parts, 2))
    phase = rng.uniform(0, 2 * pi, (parts, 2))
    waves = np.zeros((len(t), 2))
    for f, p in zip(frequency, phase, strict=True):
        waves += np.sin(2 * pi * np.outer(t, f) + p)
    return np.asarray(np.round(32 * defects.shake * sqrt(2 / parts) * waves) / 32)


def light(defects: Defects, size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Draw the factor by which the light of each pixel is multiplied.

    Parameters
    ----------
    defects
        Defects of the film.
    size
        Width and height of the frames [pixels].
    seed
        Random seed of the film.

    Returns
    -------
    shape ``(height, width)``
        Factors from 1 - uneven_light to 1.
    """
    angle = random(seed, "light").uniform(0, 2 * pi)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    dark = (cos(angle) * x + sin(angle) * y) + 0.5 * (x * x + y * y)
    dark = (dark - dark.min()) / (dark.max() - dark.min())
    return np.asarray(1 - defects.uneven_light * dark, dtype=np.float32)
