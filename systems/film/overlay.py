"""A film with the tracked pendulums drawn on top."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from systems.atomic import atomically
from systems.film.opencv import cv2
from systems.film.rendering import video
from systems.film.tracking.decode import FilmReader
from systems.film.tracking.result import Tracking

COLOURS = ((255, 60, 200), (60, 220, 255), (255, 200, 40), (120, 255, 80))  # bright, and rare on a wall
COMPRESSION = 23
RADIUS = 6


def overlay(film: str | os.PathLike[str], tracking: Tracking, path: str | os.PathLike[str], *, progress: bool = False) -> None:
    """Write a film again, with the ends that were seen, the line between them, and the angle in degrees.

    Of a pendulum of which only one end is visible, the pivot and the arc are drawn, too. A film that players turn, such as one
    that a telephone filmed upright, is written as it is seen.

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
    t = tracking.markers.groupby("frame")["t"].first().to_numpy()
    reader = FilmReader(film)
    turned = round(reader.rotation / 90) % 4  # quarter turns that a player makes
    size = (reader.width // 2 * 2, reader.height // 2 * 2)
    bar = tqdm(
        _pictures(reader, size, marks, len(t), turned),
        total=len(t),
        disable=not progress,
        desc="drawing",
        unit="frame",
        leave=False,
    )
    fps = (len(t) - 1) / max(float(t[-1] - t[0]), 1e-9)
    with atomically(target) as temporary:
        stamps = np.rint((t - t[0]) * video.TICKS).astype(np.int64)
        video.write(temporary, bar, stamps, size[::-1] if turned % 2 else size, fps, COMPRESSION)


@dataclass(frozen=True)
class Mark:
    """What is drawn of one pendulum in one frame.

    Attributes
    ----------
    pendulum : int
        Its number.
    places : list of complex
        Its ends that are seen, as ``x + i y`` [pixels], the lower one last.
    text : str
        Its angle in degrees.
    pivot : complex or None
        The pivot of a pendulum of which only one end is visible.
    arc : tuple of float
        Directions of the picture between which that end swings [degrees], clockwise from the right.
    """

    pendulum: int
    places: list[complex]
    text: str
    pivot: complex | None = None
    arc: tuple[float, float] = (0.0, 0.0)


def _marks(tracking: Tracking) -> dict[int, list[Mark]]:
    """Return for each frame the pendulums that were seen."""
    marks: dict[int, list[Mark]] = {}
    for report in tracking.report:
        table = tracking.table[tracking.table["pendulum"] == report.pendulum]
        theta = table["theta"].to_numpy()
        rows = tracking.markers[tracking.markers["pendulum"] == report.pendulum]
        ends = [rows[rows["end"] == end] for end in ("upper", "lower")]
        places = [(end["x"] + 1j * end["y"]).to_numpy() for end in ends if len(end)]
        # the direction from the pivot to the bob, as x + i y with y pointing down; see Report.gravity
        towards = 1j * np.exp(-1j * (report.gravity + theta))
        arc = np.degrees(np.angle(1j * np.exp(-1j * report.gravity))) - np.degrees([np.nanmax(theta), np.nanmin(theta)])
        for frame, angle in enumerate(theta):
            seen = [complex(z[frame]) for z in places if np.isfinite(z[frame])]
            if not seen:
                continue
            single = report.ends == 1 and np.isfinite(angle)
            pivot = complex(seen[-1] - report.radius * towards[frame]) if single else None
            text = f"{np.degrees(angle):+.2f}" if np.isfinite(angle) else ""
            marks.setdefault(frame, []).append(Mark(report.pendulum, seen, text, pivot, (float(arc[0]), float(arc[1]))))
    return marks


def _pictures(
    reader: FilmReader, size: tuple[int, int], marks: dict[int, list[Mark]], frames: int, turned: int
) -> Iterator[NDArray[np.uint8]]:
    for count, (_, frame) in enumerate(islice(reader.pictures(), frames)):
        picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24")[: size[1], : size[0]])
        for mark in marks.get(count, []):
            _draw(picture, mark)
        yield np.ascontiguousarray(np.rot90(picture, turned))


def _draw(picture: NDArray[np.uint8], mark: Mark) -> None:
    colour = COLOURS[mark.pendulum % len(COLOURS)]

    def sixteenths(z: complex) -> tuple[int, int]:
        return round(16 * z.real), round(16 * z.imag)

    line = [mark.pivot, *mark.places] if mark.pivot is not None else mark.places
    if len(line) > 1:
        cv2.line(picture, sixteenths(line[0]), sixteenths(line[-1]), colour, 1, cv2.LINE_AA, 4)
    if mark.pivot is not None:
        radius = round(16 * abs(mark.places[-1] - mark.pivot))
        start, stop = mark.arc
        cv2.ellipse(picture, sixteenths(mark.pivot), (radius, radius), 0, start, stop, colour, 1, cv2.LINE_AA, 4)
        cv2.drawMarker(picture, (round(mark.pivot.real), round(mark.pivot.imag)), colour, cv2.MARKER_CROSS, 2 * RADIUS)
    for place in mark.places:
        cv2.circle(picture, sixteenths(place), RADIUS * 16, colour, 2, cv2.LINE_AA, 4)
    at = round(mark.places[-1].real) + 12, round(mark.places[-1].imag) + 4
    cv2.putText(picture, mark.text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
