"""A film with what was tracked in it drawn on top."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from systems.atomic import atomically
from systems.film.opencv import cv2
from systems.film.points.positions import Positions
from systems.film.points.sources import source_of
from systems.film.rendering import video
from systems.film.tracking.result import Tracking

COLOURS = ((255, 60, 200), (60, 220, 255), (255, 200, 40), (120, 255, 80))  # bright, and rare on a wall
COMPRESSION = 23
RADIUS = 6
TRAIL = 1.0  # seconds of a marker's path that are drawn

Draw = Callable[[NDArray[np.uint8], int], None]  # draws on a picture what was seen in the frame of a number


def overlay(film: Any, found: Tracking | Positions, path: str | os.PathLike[str], *, progress: bool = False) -> None:
    """Write a film again, with what was tracked drawn on it.

    Of a pendulum, these are the ends that were seen, the line between them, and the angle in degrees; if only one end is
    visible, the pivot and the arc are drawn, too. Of any other marker, these are its place, its number, and its path during
    the last second. A film that players turn, such as one that a telephone filmed upright, is written as it is seen.

    Parameters
    ----------
    film
        The film, in any form that was tracked.
    found
        The result of `~systems.film.track` or `~systems.film.track_points` for that film. A frame in which nothing was seen
        stays as it is; frames outside of the range of time of `~systems.film.track_points` are left out.
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
    if isinstance(found, Positions):
        t, first, draw = found.t, int(found.frames[0]), _markers(found)
    else:
        t, first, draw = found.markers.groupby("frame")["t"].first().to_numpy(), 0, _pendulums(found)
    in_files = isinstance(film, str | os.PathLike) and not Path(film).is_dir()
    source = source_of(film, None, None if in_files else 1.0)[0]  # the times are those of the result
    turned = round(source.rotation / 90) % 4  # quarter turns that a player makes
    size = (source.width // 2 * 2, source.height // 2 * 2)

    def drawn() -> Iterator[NDArray[np.uint8]]:
        for number, picture in enumerate(islice(source.shown(), first, first + len(t))):
            whole = np.array(picture[: size[1], : size[0]], order="C")
            draw(whole, number)
            yield np.ascontiguousarray(np.rot90(whole, turned))

    bar = tqdm(drawn(), total=len(t), disable=not progress, desc="drawing", unit="frame", leave=False)
    fps = max(len(t) - 1, 1) / max(float(t[-1] - t[0]), 1e-9) if len(t) > 1 else 30.0
    with atomically(target) as temporary:
        stamps = np.rint((t - t[0]) * video.TICKS).astype(np.int64)
        video.write(temporary, bar, stamps, size[::-1] if turned % 2 else size, fps, COMPRESSION)


def _markers(found: Positions) -> Draw:
    """Return what draws the markers of a frame."""
    x, y = found.axes.to_pixels(found.x, found.y)

    def draw(picture: NDArray[np.uint8], number: int) -> None:
        lately = np.arange(np.searchsorted(found.t, found.t[number] - TRAIL), number + 1)
        for k in range(len(found)):
            colour = COLOURS[k % len(COLOURS)]
            seen = lately[np.isfinite(x[k, lately])]
            path = np.rint(16 * np.stack([x[k, seen], y[k, seen]], axis=-1)).astype(np.int32)
            cv2.polylines(picture, [path], False, colour, 1, cv2.LINE_AA, 4)
            if len(seen) and seen[-1] == number:
                _place(picture, complex(x[k, number], y[k, number]), str(k), colour)

    return draw


def _pendulums(found: Tracking) -> Draw:
    """Return what draws the pendulums of a frame."""
    marks = _marks(found)

    def draw(picture: NDArray[np.uint8], number: int) -> None:
        for mark in marks.get(number, []):
            _draw(picture, mark)

    return draw


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


def _draw(picture: NDArray[np.uint8], mark: Mark) -> None:
    colour = COLOURS[mark.pendulum % len(COLOURS)]
    line = [mark.pivot, *mark.places] if mark.pivot is not None else mark.places
    if len(line) > 1:
        cv2.line(picture, _sixteenths(line[0]), _sixteenths(line[-1]), colour, 1, cv2.LINE_AA, 4)
    if mark.pivot is not None:
        radius = round(16 * abs(mark.places[-1] - mark.pivot))
        start, stop = mark.arc
        cv2.ellipse(picture, _sixteenths(mark.pivot), (radius, radius), 0, start, stop, colour, 1, cv2.LINE_AA, 4)
        cv2.drawMarker(picture, (round(mark.pivot.real), round(mark.pivot.imag)), colour, cv2.MARKER_CROSS, 2 * RADIUS)
    for place in mark.places[:-1]:
        _place(picture, place, "", colour)
    _place(picture, mark.places[-1], mark.text, colour)


def _place(picture: NDArray[np.uint8], place: complex, text: str, colour: tuple[int, int, int]) -> None:
    """Draw a ring around a place, and a text beside it."""
    cv2.circle(picture, _sixteenths(place), RADIUS * 16, colour, 2, cv2.LINE_AA, 4)
    at = round(place.real) + 12, round(place.imag) + 4
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def _sixteenths(z: complex) -> tuple[int, int]:
    """Return a place in the units of OpenCV's drawing, sixteenths of a pixel."""
    return round(16 * z.real), round(16 * z.imag)
