"""A film with the tracked pendulums drawn on top."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from systems.atomic import atomically
from systems.film.opencv import cv2
from systems.film.rendering import video
from systems.film.tracking.decode import open_film
from systems.film.tracking.result import Tracking

COLOURS = ((255, 60, 200), (60, 220, 255), (255, 200, 40), (120, 255, 80))  # bright, and rare on a wall
COMPRESSION = 23
RADIUS = 6


def overlay(film: str | os.PathLike[str], tracking: Tracking, path: str | os.PathLike[str], *, progress: bool = False) -> None:
    """Write a film again, with the ends that were seen, the line between them, and the angle in degrees.

    Parameters
    ----------
    film
        The film.
    tracking
        The result of `~systems.film.track` for that film; a frame in which nothing was seen stays as it is.
    path
        File to write, .mp4.
    progress : default False
        Whether to show a progress bar.

    Raises
    ------
    FileNotFoundError
        If there is no such film.
    InputError
        If the film cannot be read or the path cannot be written.
    MissingExtraError
        If PyAV or OpenCV is not installed.
    """
    target = video.target(path)
    marks = _marks(tracking)
    frames = int(tracking.markers["frame"].max()) + 1
    with open_film(film) as container:
        stream = container.streams.video[0]
        size = (stream.codec_context.width // 2 * 2, stream.codec_context.height // 2 * 2)
        t = tracking.markers.groupby("frame")["t"].first().to_numpy()
        pictures = _pictures(container, stream, size, marks, frames)
        bar = tqdm(pictures, total=frames, disable=not progress, desc="drawing", unit="frame", leave=False)
        fps = (len(t) - 1) / max(float(t[-1] - t[0]), 1e-9)
        with atomically(target) as temporary:
            video.write(temporary, bar, np.rint((t - t[0]) * video.TICKS).astype(np.int64), size, fps, COMPRESSION)


Mark = tuple[int, list[tuple[float, float]], str]


def _marks(tracking: Tracking) -> dict[int, list[Mark]]:
    """Return for each frame the pendulums that were seen: their number, their ends, and their angle."""
    table, seen = tracking.table, tracking.markers.dropna(subset=["x", "y"])
    keys = zip(table["pendulum"].tolist(), table["t"].tolist(), strict=True)
    angles = dict(zip(keys, np.degrees(table["theta"].to_numpy()).tolist(), strict=True))
    ends: dict[tuple[int, int, float], list[tuple[float, float]]] = {}
    for frame, pendulum, t, x, y in zip(*(seen[name].tolist() for name in ("frame", "pendulum", "t", "x", "y")), strict=True):
        ends.setdefault((frame, pendulum, t), []).append((x, y))
    marks: dict[int, list[Mark]] = {}
    for (frame, pendulum, t), places in ends.items():
        angle = angles.get((pendulum, t), np.nan)
        marks.setdefault(frame, []).append((pendulum, places, f"{angle:+.2f}" if np.isfinite(angle) else ""))
    return marks


def _pictures(container, stream, size, marks, frames) -> Iterator[NDArray[np.uint8]]:  # type: ignore[no-untyped-def]
    for count, frame in enumerate(container.decode(stream)):
        if count == frames:
            return
        picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24")[: size[1], : size[0]])
        for mark in marks.get(count, []):
            _draw(picture, mark)
        yield picture


def _draw(picture: NDArray[np.uint8], mark: Mark) -> None:
    pendulum, places, text = mark
    colour = COLOURS[pendulum % len(COLOURS)]
    points = [(round(16 * x), round(16 * y)) for x, y in places]  # in sixteenths of a pixel
    if len(points) > 1:
        cv2.line(picture, points[0], points[-1], colour, 1, cv2.LINE_AA, 4)
    for point in points:
        cv2.circle(picture, point, RADIUS * 16, colour, 2, cv2.LINE_AA, 4)
    x, y = places[-1]
    cv2.putText(picture, text, (round(x) + 12, round(y) + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
