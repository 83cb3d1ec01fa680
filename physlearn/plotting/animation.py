"""Animations of orbits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from tqdm.auto import tqdm

from physlearn.plotting.array import array
from physlearn.plotting.colored_line import LARGEST
from physlearn.plotting.marks import COLORS
from physlearn.plotting.mp4_writer import MP4Writer
from physlearn.plotting.names import symbol
from physlearn.plotting.window import extent, show
from systems import InputError, Orbit
from systems.atomic import atomically
from systems.ending import check_ending

SUFFIXES = (".gif", ".mp4")
DPI = 100
SIZE = (4.8, 4.8)  # inches; H.264 needs even numbers of pixels


def animate(
    orbits: Orbit | Mapping[str, Orbit],
    path: str | os.PathLike[str],
    *,
    coordinates: tuple[int | str, int | str] | None = None,
    seconds: float = 6.0,
    fps: int = 25,
    trail: float = 0.1,
    progress: bool = True,
) -> Path:
    """Write a film of points that move along their orbits, each with a fading trail.

    The orbits run uniformly in time, and the first one sets the limits of the axes. The file is written completely or not at
    all.

    Parameters
    ----------
    orbits : Orbit or mapping of str to Orbit
        One orbit, or several by name at the same times. All orbits of a batch move together.
    path : path
        The file, with the suffix .gif or .mp4.
    coordinates : tuple of two int or str, optional
        The plane to draw. By default the first two coordinates, which are two positions, or position and momentum.
    seconds : float, default 6
        Duration of the film in seconds.
    fps : int, default 25
        Frames per second.
    trail : float, default 0.1
        Length of the trail as a fraction of the whole time.
    progress : bool, default True
        Whether to show a progress bar.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    InputError
        If the suffix is another one, the orbits do not match, or a setting is not positive.
    """
    target = Path(path)
    check_ending(target, SUFFIXES, "the name of a film")
    if not (seconds > 0 and fps > 0 and 0 < trail <= 1):
        raise InputError(f"seconds={seconds:g} and fps={fps:g} must be positive, and trail={trail:g} must lie in (0, 1]")
    named = {"": orbits} if isinstance(orbits, Orbit) else dict(orbits)
    if not named:
        raise InputError("there are no orbits to animate: give at least one")
    first = next(iter(named.values()))
    t = array(first.t)
    for label, orbit in named.items():
        if orbit.dim != first.dim or len(orbit.t) != len(t) or not np.allclose(array(orbit.t), t, rtol=1e-6):
            raise InputError(f"the orbit {label!r} must have the times and coordinates of the first one")
    i, j = (first.index(c) for c in (coordinates or (0, 1)))
    paths = [array(orbit.z)[..., [i, j]].reshape(-1, len(t), 2) for orbit in named.values()]
    elapsed = np.abs(t - t[0])
    frames = np.searchsorted(elapsed, np.linspace(0, elapsed[-1], max(round(seconds * fps), 2)))
    figure, ax = plt.subplots(figsize=SIZE, dpi=DPI, layout="constrained")
    try:
        runners = []
        for many, label, color in zip(paths, named, cycle(COLORS), strict=False):
            for k, run in enumerate(many):
                runners.append(_Runner(ax, run, color, label if k == 0 and label else None))
        show(ax, extent(paths[0]), margin=0.1)
        ax.set(xlabel=symbol(first.coordinates[i]), ylabel=symbol(first.coordinates[j]))
        if {i, j} == {0, 1} and first.dim >= 4:  # positions in the plane, not position and momentum
            ax.set_aspect("equal")
        if any(named):
            figure.legend(loc="outside upper right", ncols=4 if sum(map(len, named)) < 30 else 2, frameon=False)
        # compute the layout once, for the widest title: for every frame, it would be slow, and the axes would jitter
        ax.set_title(f"$t$ = {max(t, key=lambda time: len(f'{time:.1f}')):.1f}", loc="left", fontsize="medium")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        writer = PillowWriter(fps) if target.suffix.lower() == ".gif" else MP4Writer(fps)
        with atomically(target) as temporary, writer.saving(figure, str(temporary), dpi=DPI):
            for frame in tqdm(frames, disable=not progress, desc=f"drawing {target.name}", unit="frame", leave=False):
                start = np.searchsorted(elapsed, elapsed[frame] - trail * elapsed[-1])
                for runner in runners:
                    runner.draw(int(start), int(frame))
                ax.set_title(f"$t$ = {t[frame]:.1f}", loc="left", fontsize="medium")
                writer.grab_frame()
    finally:
        plt.close(figure)
    return target


class _Runner:
    """A point that moves along a path, with a trail that fades from opaque at the point to transparent at its end."""

    def __init__(self, ax: Axes, path: Float[np.ndarray, "T 2"], color: str, label: str | None) -> None:
        self.path, self.color = path, to_rgb(color)
        # butt caps do not overlap; round ones would show as beads in the fading trail
        self.trail = LineCollection([], linewidth=1.6, capstyle="butt")
        ax.add_collection(self.trail)
        (self.point,) = ax.plot([], [], "o", color=color, markersize=6, label=label)

    def draw(self, start: int, stop: int) -> None:
        """Move the point to the state ``stop``, with a trail from the state ``start``."""
        run = self.path[start : stop + 1]
        run = np.where(np.abs(run) < LARGEST, run, np.nan)
        self.trail.set_segments(list(np.stack([run[:-1], run[1:]], axis=1)))
        self.trail.set_color([(*self.color, alpha) for alpha in np.linspace(0, 1, len(run) - 1)])
        self.point.set_data(run[-1:, 0], run[-1:, 1])
