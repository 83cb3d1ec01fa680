"""Orbits as a film."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from matplotlib import pyplot as plt
from matplotlib import rc_context
from matplotlib.animation import FFMpegWriter, PillowWriter
from tqdm.auto import tqdm

from physlearn.plotting.forecast import COLORS
from physlearn.plotting.names import index_of, symbol
from physlearn.plotting.phase_portrait import array
from systems import InputError, Orbit
from systems.atomic import atomically

SUFFIXES = (".gif", ".mp4")


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
    """Write a film of points that run along their orbits, each drawing a trail, to a .gif or .mp4; gives the path.

    orbits: one, or several by name at the same times (all of a batch run together). coordinates: the plane, by default the
    two positions, or position and momentum. trail: its length as a fraction of the whole time. Written whole or not at all.
    Raises InputError for another kind of file.
    """
    target = Path(path)
    if target.suffix not in SUFFIXES:
        raise InputError(f"a film is written as {' or '.join(SUFFIXES)}, not {target.name}")
    named = {"": orbits} if isinstance(orbits, Orbit) else dict(orbits)
    first = next(iter(named.values()))
    i, j = (index_of(first, c) for c in (coordinates or (0, 1)))
    paths = [(label, array(orbit.z).reshape(-1, len(first.t), orbit.dim)[..., [i, j]]) for label, orbit in named.items()]
    frames = np.linspace(0, len(first.t) - 1, max(round(seconds * fps), 2)).round().astype(int)
    length = max(round(trail * len(first.t)), 1)
    figure, ax = plt.subplots(figsize=(5, 5), layout="constrained")
    try:
        drawn = []
        for (label, many), color in zip(paths, COLORS * len(paths), strict=False):
            for k, path_ in enumerate(many):
                (line,) = ax.plot([], [], color=color, linewidth=1, alpha=0.6)
                (point,) = ax.plot([], [], "o", color=color, markersize=6, label=label if k == 0 and label else None)
                drawn.append((path_, line, point))
        low, high = np.nanmin(paths[0][1], axis=(0, 1)), np.nanmax(paths[0][1], axis=(0, 1))
        margin = 0.1 * (high - low)
        ax.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
        ax.set(xlabel=symbol(first.coordinates[i]), ylabel=symbol(first.coordinates[j]))
        if any(label for label, _ in paths):
            ax.legend(loc="upper right", frameon=False)
        writer = PillowWriter(fps) if target.suffix == ".gif" else FFMpegWriter(fps, codec="h264")
        with (
            rc_context({"animation.ffmpeg_path": get_ffmpeg_exe()}),
            atomically(target) as temporary,
            writer.saving(figure, str(temporary), dpi=100),
        ):
            for frame in tqdm(frames, disable=not progress, desc=f"drawing {target.name}", unit="frame", leave=False):
                for path_, line, point in drawn:
                    line.set_data(*path_[max(frame - length, 0) : frame + 1].T)
                    point.set_data(*path_[frame : frame + 1].T)
                ax.set_title(f"$t$ = {float(first.t[frame]):.1f}", loc="left")
                writer.grab_frame()
    finally:
        plt.close(figure)
    return target
