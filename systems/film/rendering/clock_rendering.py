"""Render films of pendulum clocks from known orbits: for users without a film, and as ground truth for trackers."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import ceil, isfinite

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from tqdm.auto import tqdm

from systems.atomic import atomically
from systems.errors import InputError
from systems.film.rendering import video
from systems.film.rendering.clock_film import Film
from systems.film.rendering.clock_frames import ClockFrames
from systems.film.rendering.courses import course, numbers
from systems.film.rendering.defects import Defects
from systems.film.rendering.truth import Truth
from systems.orbit import Orbit
from systems.system import System


def render(
    orbit: Orbit | tuple[ArrayLike, ArrayLike],
    path: str | os.PathLike[str],
    film: Film | None = None,
    defects: Defects | None = None,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Truth:
    """Render a film of clocks whose angles are known, and return what the film shows.

    Parameters
    ----------
    orbit
        Times [s] and angles [rad]: an `~systems.Orbit` with a coordinate theta, or a pair (t, theta). t has shape ``(T,)``,
        and theta ``(T,)``, or ``(N, T)`` for N clocks side by side. theta is positive to the viewer's right. Angles
        between the times are interpolated by cubics, so ten or more times per swing are needed. Time stamps count from
        t[0], where the film starts.
    path
        File to write, .mp4. The codec is H.264, or MPEG-4 if PyAV comes without it.
    film : optional
        Settings of the film, by default those of `Film`.
    defects : optional
        Defects of the film, by default none.
    seed : default 0
        Random seed of the defects; the same seed gives the same film.
    progress : default False
        Whether to show a progress bar.

    Returns
    -------
    Truth
        What each frame shows. It takes about a hundred bytes per frame and clock; no other memory grows with the film.

    Raises
    ------
    InputError
        If the times do not increase, a swing leaves the frame, or the path cannot be written.
    MissingExtraError
        If PyAV or OpenCV is not installed.
    """
    film, defects = film or Film(), defects or Defects()
    target = video.target(path)
    t, theta = _angles(orbit)
    frames = ClockFrames(t, theta, film, defects, seed)
    with atomically(target) as temporary:
        pictures = tqdm(
            frames.pictures(), total=len(frames.exposures.t), disable=not progress, desc="filming", unit="frame", leave=False
        )
        video.write(temporary, pictures, frames.exposures.stamps, frames.size, film.fps, defects.compression)
    return frames.truth()


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
    """Simulate clocks from initial states, and render a film of them.

    The unit of time of the system is taken as a second. ``PendulumClock(frequency=2 * pi / 2.027)`` swings in 2.027 s,
    whereas a swing takes 6.28 s with its default frequency of 1.

    Parameters
    ----------
    clock
        A system with a coordinate theta.
    z0 : shape ``(2,)`` or ``(N, 2)``
        Initial state, or those of N clocks side by side.
    duration
        Duration of the film [s].
    path, film, defects, seed, progress
        As for `render`.

    Returns
    -------
    Truth
        What each frame shows.

    Raises
    ------
    InputError
        If the duration is not positive, or for the reasons of `render`.
    MissingExtraError
        If PyAV or OpenCV is not installed.
    """
    film = film or Film()
    if not (isfinite(duration) and duration > 0):
        raise InputError(f"duration of a film must be a positive number of seconds, not {duration}")
    video.target(path)  # checked before the orbit, which takes its time
    steps = max(4, ceil(4 * duration * film.fps))
    orbit = clock.orbit(torch.as_tensor(z0, dtype=torch.float64), torch.linspace(0, duration, steps + 1, dtype=torch.float64))
    return render(orbit, path, film, defects, seed=seed, progress=progress)


def still(theta: float, film: Film | None = None) -> NDArray[np.uint8]:
    """Render a picture of a clock whose pendulum is at a given angle.

    Parameters
    ----------
    theta
        Angle [rad], positive to the viewer's right.
    film : optional
        Settings of the film, by default those of `Film`.

    Returns
    -------
    shape ``(height, width, 3)``
        The picture in red, green and blue.

    Raises
    ------
    InputError
        If the pendulum would leave the frame.
    MissingExtraError
        If OpenCV is not installed.
    """
    t, angle = _angles((np.arange(4.0), np.full(4, theta)))
    return next(ClockFrames(t, angle, film or Film(), Defects(), 0).pictures())


def _angles(
    orbit: Orbit | tuple[ArrayLike, ArrayLike],
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Return the times, and the angles ``(...)`` or ``(N, ...)`` as a function of time."""
    rate: NDArray[np.float64] | None = None
    if isinstance(orbit, Orbit):
        index = orbit.index("theta")
        t, theta = numbers(orbit.t), numbers(orbit.z[..., index])
        rate = None if orbit.rate is None else numbers(orbit.rate[..., index])
    else:
        t, theta = map(numbers, orbit)
    if t.ndim != 1 or len(t) < 2 or theta.ndim not in (1, 2) or theta.shape[-1] != len(t):
        raise InputError(
            f"a film needs times (T,) and angles (T,), or (N, T) of N clocks, for two times or more, "
            f"not {t.shape} and {theta.shape}"
        )
    return t, course(t, theta, rate)
