"""Orbits as a film."""

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
from physlearn.plotting.forecast import COLORS
from physlearn.plotting.mp4_writer import MP4Writer
from physlearn.plotting.names import symbol
from physlearn.plotting.window import extent, show
from systems import InputError, Orbit
from systems.atomic import atomically

SUFFIXES = (".gif", ".mp4")
DPI = 100
SIZE = (4.8, 4.8)  # inches; in pixels even, as H.264 needs


def check_format(path: Path) -> None:
    """Raise InputError for a film of another kind than can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"a film is written as {' or '.join(SUFFIXES)}, not {path.name}")


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
    """Write a film of points that run along their orbits, each with a fading trail, to a .gif or .mp4; gives the path.

    orbits: one, or several by name at the same times (all of a batch run together). coordinates: the plane, by default the
    first two: two positions, or position and momentum. seconds: how long the film is; the orbits' time runs evenly in it.
    trail: its length as a fraction of the whole time. The first orbit sets the limits. Written whole or not at all.
    Raises InputError for another kind of file, orbits that do not go together, or settings that are not positive.
    """
    target = Path(path)
    check_format(target)
    if not (seconds > 0 and fps > 0 and 0 < trail <= 1):
        raise InputError(f"seconds={seconds:g} and fps={fps:g} must be positive, trail={trail:g} within (0, 1]")
    named = {"": orbits} if isinstance(orbits, Orbit) else dict(orbits)
    if not named:
        raise InputError("no orbits were given")
    first = next(iter(named.values()))
    t = array(first.t)
    for label, orbit in named.items():
        if orbit.dim != first.dim or len(orbit.t) != len(t) or not np.allclose(array(orbit.t), t, rtol=1e-6):
            raise InputError(f"the orbit {label!r} is not given at the times and coordinates of the first")
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
        if {i, j} == {0, 1} and first.dim >= 4:  # a plane of space, not of phase space
            ax.set_aspect("equal")
        if any(named):
            figure.legend(loc="outside upper right", ncols=4 if sum(map(len, named)) < 30 else 2, frameon=False)
        # the layout is settled on the widest title, once: solved anew for each frame it takes long, and the axes tremble
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
    """A point on its way along a path, and the trail behind it, from nothing at its end to solid at the point."""

    def __init__(self, ax: Axes, path: Float[np.ndarray, "T 2"], color: str, label: str | None) -> None:
        self.path, self.color = path, to_rgb(color)
        # butt ends do not overlap: round ones would show as beads where the trail fades
        self.trail = LineCollection([], linewidth=1.6, capstyle="butt")
        ax.add_collection(self.trail)
        (self.point,) = ax.plot([], [], "o", color=color, markersize=6, label=label)

    def draw(self, start: int, stop: int) -> None:
        """Move to the state ``stop``, with the trail from the state ``start``."""
        run = self.path[start : stop + 1]
        run = np.where(np.abs(run) < LARGEST, run, np.nan)
        self.trail.set_segments(list(np.stack([run[:-1], run[1:]], axis=1)))
        self.trail.set_color([(*self.color, alpha) for alpha in np.linspace(0, 1, len(run) - 1)])
        self.point.set_data(run[-1:, 0], run[-1:, 1])
