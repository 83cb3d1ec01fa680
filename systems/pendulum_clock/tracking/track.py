"""From a film, or from places of markers, to the angles of its pendulums."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas
from tqdm import tqdm

from systems.errors import InputError
from systems.orbit import Orbit
from systems.pendulum_clock.tracking.angles import Angles, Ends, angles
from systems.pendulum_clock.tracking.decode import Film, Frame
from systems.pendulum_clock.tracking.discover import Found, discover
from systems.pendulum_clock.tracking.geometry import Points
from systems.pendulum_clock.tracking.identity import Follower
from systems.pendulum_clock.tracking.markers import Blob, Floats
from systems.pendulum_clock.tracking.patches import HUES
from systems.pendulum_clock.tracking.result import COLUMNS, Tracking
from systems.pendulum_clock.tracking.sample import Sample
from systems.pendulum_clock.tracking.view import check, seen_from_the_front

Markers = str | Sequence[str] | Sequence[tuple[float, float]]
ROLLS = 4.0  # variances of a roll's noise: what rolls less is left alone, for to correct it would add noise


def track(
    film: str | os.PathLike[str],
    *,
    markers: Markers | None = None,
    pendulums: int | None = None,
    focal_length: float | None = None,
    progress: bool = False,
) -> Tracking:
    """The angles of the pendulums in a film, each from its two ends, or from its arc where only one end is to be seen.

    markers: colours by name, as ``"red,blue"`` or a list; or pixels ``(x, y)`` of the first frame, one on each marker; by
    default what swings, and what it hangs from, is found by itself, from the film's first 12 s. pendulums: how many
    there are, the likeliest being taken; by default as many as are found. focal_length: of the lens, in diagonals of the
    picture (millimetres of 35 mm film / 43.3); by default that of a telephone, 0.75 to 20 %. progress: show a bar.

    Angles are about the middle of the swing, positive to the right of a viewer for whom the pendulum hangs down, whichever
    way up the film is. A camera that looks from the side is told by rods that grow to one side, and undone if beyond doubt
    (see `view.seen_from_the_front`): Report.yaw. What stays is scaled: by about cos(yaw) where only one end is seen, or the
    upper one stands still, or the lower one is as high as the picture's middle, or a single pendulum far to one side of it; by
    about cos(pitch) for a camera that looks up.

    The film streams twice, in constant memory. Raises FileNotFoundError, or InputError for what is no film, is truncated, or
    shows nothing that swings.
    """
    colours, pixels = _choice(markers)
    if pendulums is not None and pendulums < 1:
        raise InputError(f"pendulums must be at least 1, not {pendulums}")
    check(focal_length)
    source = Film(film)
    sample = Sample.of(source)
    found = discover(sample, colours, pixels)
    if pendulums is not None:
        if len(found) < pendulums:
            raise InputError(f"{film} shows {len(found)} swinging pendulums, not {pendulums}; give their markers' pixels")
        found = found[:pendulums]
    recorder = _Recorder(found, sample)
    for frame in tqdm(source.frames(), disable=not progress, unit="frame", desc=source.path.name):
        recorder.add(frame)
    provenance = {"film": source.path.name, "markers": "found" if markers is None else "given"}
    return recorder.tracking(source.path.name, provenance, (source.width, source.height), focal_length)


def from_markers(
    t: npt.ArrayLike,
    upper: npt.ArrayLike,
    lower: npt.ArrayLike,
    *,
    y_up: bool = False,
    size: tuple[int, int] | None = None,
    focal_length: float | None = None,
) -> Tracking:
    """The angles of one pendulum from places of its two ends that were tracked elsewhere.

    t: ``(T,)`` times; upper, lower: ``(T, 2)`` pixels (x, y), NaN where not seen. y_up: whether y points up, not down as in
    pictures; it is what decides the sign of the angle, and with it, which way is right. size: of the picture, (width, height)
    in pixels, without which no oblique view is undone; focal_length: as for `track`.
    """
    check(focal_length, size)
    times = np.asarray(t, float)
    places = {"upper": np.asarray(upper, float), "lower": np.asarray(lower, float)}
    for name, place in places.items():
        if place.shape != (len(times), 2):
            raise InputError(f"{name} must have shape ({len(times)}, 2), for {len(times)} times, not {place.shape}")
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise InputError("times must be finite and strictly increase")
    if len(times) < 2:
        raise InputError("one time shows no swing")
    height = 1 if size is None else size[1]
    z = {name: x + 1j * (height - 1 - y if y_up else y) for name, (x, y) in ((n, place.T) for n, place in places.items())}
    ends = Ends(times, z["lower"], z["upper"])
    done = [angles(ends, "the pendulum")]
    if size is not None:
        done = _from_the_front([ends], done, size, focal_length, "the pendulum")
    pixels = [_pixels(0, end, times, place) for end, place in places.items()]
    return _gather(done, [pandas.concat(pixels, ignore_index=True)], {"markers": "given"})


def _choice(markers: Markers | None) -> tuple[list[str] | None, list[tuple[float, float]] | None]:
    """The names of colours, or the pixels, that a user gave."""
    if markers is None:
        return None, None
    given: list[Any] = markers.split(",") if isinstance(markers, str) else list(markers)
    if given and all(isinstance(item, str) for item in given):
        names = [item.strip().lower() for item in given]
        if unknown := [name for name in names if name not in HUES]:
            raise InputError(f"no colour is named {unknown[0]!r} here; there are {', '.join(HUES)}")
        return names, None
    try:
        points = [(float(x), float(y)) for x, y in given]
    except (TypeError, ValueError):
        points = []
    if not points:
        raise InputError(f"markers must be names of colours or pixels (x, y) of the first frame, not {markers!r}")
    return None, points


class _Recorder:
    """Follows all markers through a film and keeps a few numbers of each frame."""

    def __init__(self, found: list[Found], sample: Sample) -> None:
        self.found, self.sample = found, sample
        candidates = {id(c): c for pendulum in found for c in (pendulum.lower, pendulum.upper) if c is not None}
        self.followers = {key: Follower(c) for key, c in candidates.items()}
        self.moves = {id(pendulum.lower) for pendulum in found}
        self.t, self.camera = array("d"), array("d")
        self.places = {key: array("d") for key in candidates}  # x, y, mass, change of each frame
        self.before: Frame | None = None
        self.shift = (0.0, 0.0)
        self.height, self.width = sample.pictures.shape[1:3]

    def add(self, frame: Frame) -> None:
        self.t.append(frame.t)
        a, b, noise = complex(1), complex(0), 0.0
        if len(self.sample.anchors.points):
            small = cv2.resize(frame.y, (self.width, self.height), interpolation=cv2.INTER_AREA)
            a, b, noise = self.sample.anchors.camera(np.asarray(small, np.uint8))
            middle = complex(self.width / 2, self.height / 2)
            moved = a * middle + b - middle
            if np.isfinite(moved):
                self.shift = moved.real * float(self.sample.scale[0]), moved.imag * float(self.sample.scale[1])
        self.camera.extend((a.real, a.imag, b.real, b.imag, noise))
        for key, follower in self.followers.items():
            blob = follower.look(frame, self.shift)
            change = self._change(frame, blob, follower.radius) if key in self.moves else np.nan
            self.places[key].extend((np.nan,) * 4 if blob is None else (blob.x, blob.y, blob.mass, change))
        self.before = frame

    def _change(self, frame: Frame, blob: Blob | None, radius: float) -> float:
        """How much the picture around a marker differs from the frame before."""
        if blob is None or self.before is None:
            return float("nan")
        reach = round(1.5 * radius) + 2
        rows = slice(max(0, round(blob.y) - reach), round(blob.y) + reach + 1)
        columns = slice(max(0, round(blob.x) - reach), round(blob.x) + reach + 1)
        return float(cv2.absdiff(frame.y[rows, columns], self.before.y[rows, columns]).mean())

    def tracking(self, name: str, provenance: dict[str, Any], size: tuple[int, int], focal_length: float | None) -> Tracking:
        t = np.array(self.t)
        numbers = {key: np.array(values).reshape(-1, 4) for key, values in self.places.items()}
        motions = self._motions()
        chosen: list[tuple[Ends, Angles]] = []
        pixels = []
        for pendulum in self.found:
            low, up = id(pendulum.lower), id(pendulum.upper)
            # A false roll, of things that moved before the camera, makes the course of the angle rougher, a true one smoother.
            courses = []
            for a, b, steady in motions:
                z = {key: (numbers[key][:, 0] + 1j * numbers[key][:, 1] - b) / a for key in (low, up) if key in numbers}
                masses = {key: numbers[key][:, 2] for key in z}
                ends = Ends(t, z[low], z.get(up), masses[low], masses.get(up), numbers[low][:, 3], steady)
                courses.append((ends, angles(ends, f"a pendulum of {name}")))
            chosen.append(min(courses, key=lambda course: course[1].report.jitter))
            parts = [_pixels(0, "lower", t, numbers[low][:, :2])]
            if pendulum.upper is not None:
                parts.insert(0, _pixels(0, "upper", t, numbers[up][:, :2]))
            pixels.append(pandas.concat(parts, ignore_index=True))
        places, first = zip(*chosen, strict=True)
        done = _from_the_front(places, first, size, focal_length, f"a pendulum of {name}")
        return _gather(done, pixels, provenance)

    def _motions(self) -> list[tuple[Points, Points, bool]]:
        """What the camera's motion (a, b) may be, in pixels of the film: shifts alone, and where it seems to roll, with that.

        The last says whether the roll is in it.
        """
        rows = np.array(self.camera).reshape(-1, 5)
        a, b, noise = rows[:, 0] + 1j * rows[:, 1], rows[:, 2] + 1j * rows[:, 3], rows[:, 4]
        points = self.sample.anchors.points
        known = np.isfinite(a) & np.isfinite(b)
        if not len(points) or not known.any():
            return [(np.ones(len(a), complex), np.zeros(len(a), complex), False)]
        index = np.arange(len(a))
        a, b = (
            np.interp(index, index[known], z[known].real) + 1j * np.interp(index, index[known], z[known].imag) for z in (a, b)
        )
        scale = float(self.sample.scale.mean())
        # pixel centres: film = (small + 1/2) scale - 1/2
        offset = (1 + 1j) * (scale - 1) / 2
        b = b * scale + offset * (1 - a)
        middle = complex(*(points[:, 0].mean(axis=0) * scale)) + offset
        motions = [(np.ones_like(a), b + a * middle - middle, False)]
        if np.angle(a).var() > ROLLS * np.nanmean(noise**2):
            motions.append((a, b, True))
        return motions


def _from_the_front(
    ends: Sequence[Ends], done: Sequence[Angles], size: tuple[int, int], focal_length: float | None, name: str
) -> list[Angles]:
    """The angles without the camera's yaw, where the pendulums tell it."""
    straight, view = seen_from_the_front(ends, done, size, focal_length)
    told = []
    for before, after, a in zip(ends, straight, done, strict=True):
        if after is not before:
            a = angles(after, name)
        if before.upper is not None:
            a = replace(a, report=replace(a.report, yaw=view.yaw, yaw_error=view.yaw_error))
        told.append(a)
    return told


def _pixels(pendulum: int, end: str, t: Floats, places: Floats) -> pandas.DataFrame:
    frame = np.arange(len(t))
    return pandas.DataFrame({"pendulum": pendulum, "end": end, "frame": frame, "t": t, "x": places[:, 0], "y": places[:, 1]})


def _gather(done: list[Angles], pixels: list[pandas.DataFrame], provenance: dict[str, Any]) -> Tracking:
    """All pendulums, numbered from the left."""
    order = sorted(range(len(done)), key=lambda k: done[k].right)
    tables, markers, reports = [], [], []
    orbits: list[Orbit] = []
    for number, k in enumerate(order):
        table = done[k].table
        tables.append(table.assign(pendulum=number)[["pendulum", "t", *COLUMNS]])
        markers.append(pixels[k].assign(pendulum=number))
        reports.append(replace(done[k].report, pendulum=number))
        orbits += [replace(o, provenance={**provenance, "pendulum": number, **o.provenance}) for o in done[k].orbits]
    return Tracking(
        table=pandas.concat(tables, ignore_index=True),
        orbits=orbits,
        report=tuple(reports),
        markers=pandas.concat(markers, ignore_index=True),
        provenance=provenance,
    )
