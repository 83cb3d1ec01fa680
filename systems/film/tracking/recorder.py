"""Record all markers of a film, frame by frame, and turn the record into angles."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import hypot
from typing import Any

import numpy as np
import pandas

from systems.errors import InputError
from systems.film.opencv import cv2
from systems.film.tracking.angles import Angles, Ends, angles
from systems.film.tracking.arrays import Floats, Points
from systems.film.tracking.blur import AROUND, Sharp, displacements
from systems.film.tracking.decode import Frame
from systems.film.tracking.follower import Follows
from systems.film.tracking.gathering import from_the_front, gather, pixels_table
from systems.film.tracking.markers import Blob, Paint, window
from systems.film.tracking.result import Tracking
from systems.film.tracking.sample import Sample

PLACE = 0.07  # pixels: how far the centre of a marker is off that is round but made of pixels, or lit from one side
SLOWER = 0.8  # of the speed in the picture that is kept of a marker: how slow it must be for another picture
ROLLS = 4.0  # variances of the noise of a roll: correcting a smaller roll would add noise


class Recorder:
    """Follows all markers through a film and keeps a few numbers per frame.

    Parameters
    ----------
    followers
        One per marker.
    sample
        The start of the film.
    """

    def __init__(self, followers: Sequence[Follows], sample: Sample) -> None:
        self.followers, self.sample = followers, sample
        self.t, self.camera = array("d"), array("d")
        self.places = [array("d") for _ in followers]  # x, y, mass, change, spread of each frame
        self.slowest: list[tuple[float, Sharp] | None] = [None] * len(followers)  # speed [pixels/s], and the marker then
        self.before: Frame | None = None
        self.shift = (0.0, 0.0)
        self.height, self.width = sample.pictures.shape[1:3]

    def add(self, frame: Frame) -> None:
        """Record the markers and the camera's motion in the next frame."""
        self.t.append(frame.t)
        a, b, noise = complex(1), complex(0), 0.0
        if self.sample.middle is not None:
            small = cv2.resize(frame.y, (self.width, self.height), interpolation=cv2.INTER_AREA)
            a, b, noise = self.sample.camera(np.asarray(small, np.uint8))
            middle = complex(self.width / 2, self.height / 2)
            moved = a * middle + b - middle
            if np.isfinite(moved):
                self.shift = moved.real * float(self.sample.scale[0]), moved.imag * float(self.sample.scale[1])
        self.camera.extend((a.real, a.imag, b.real, b.imag, noise))
        for k, (places, follower) in enumerate(zip(self.places, self.followers, strict=True)):
            blob = follower.look(frame, self.shift)
            change = self._change(frame, blob, follower.radius)
            if blob is not None and follower.paint is not None and len(self.t) > 1:
                self._keep_if_slow(k, frame, blob, follower.paint, follower.radius)
            places.extend((np.nan,) * 5 if blob is None else (blob.x, blob.y, blob.mass, change, blob.spread))
        self.before = frame

    def _keep_if_slow(self, k: int, frame: Frame, blob: Blob, paint: Paint, radius: float) -> None:
        """Keep the picture of a marker that moves less than in all frames before."""
        x, y = self.places[k][-5], self.places[k][-4]
        speed = hypot(blob.x - x, blob.y - y) / (self.t[-1] - self.t[-2])
        slowest = self.slowest[k]
        if not speed < (np.inf if slowest is None else SLOWER * slowest[0]):
            return
        reach = round(AROUND * radius) + 4
        x, y = round(blob.x), round(blob.y)
        view, left, top = window(frame, x - reach, y - reach, x + reach + 1, y + reach + 1)
        if min(x - left, y - top, left + view.shape[1] - x, top + view.shape[0] - y) > 2 * radius:
            self.slowest[k] = speed, Sharp(view, paint, blob.mass, radius)

    def _change(self, frame: Frame, blob: Blob | None, radius: float) -> float:
        """Return how much the picture around a marker differs from the previous frame."""
        if blob is None or self.before is None:
            return float("nan")
        reach = round(1.5 * radius) + 2
        rows = slice(max(0, round(blob.y) - reach), round(blob.y) + reach + 1)
        columns = slice(max(0, round(blob.x) - reach), round(blob.x) + reach + 1)
        return float(cv2.absdiff(frame.y[rows, columns], self.before.y[rows, columns]).mean())

    def paths(self) -> list[Points]:
        """Return the places of each marker ``(T,)`` as ``x + i y``, without the camera's shifts [pixels]."""
        a, b, _ = self._motions()[0]
        return [(z - b) / a for z in (table[:, 0] + 1j * table[:, 1] for table in map(_table, self.places))]

    def tracking(
        self,
        pairs: Sequence[tuple[int, int | None]],
        name: str,
        provenance: dict[str, Any],
        size: tuple[int, int],
        focal_length: float | None,
        *,
        most: int | None = None,
        strict: bool = False,
    ) -> Tracking:
        """Compute the angles of all pendulums from what was recorded.

        Parameters
        ----------
        pairs
            Numbers of the followers of the lower and of the upper end of each pendulum; None for an end that is not visible.
        name
            Name of the film in error messages.
        provenance
            Provenance of the result.
        size
            Width and height of the film [pixels].
        focal_length
            Focal length in diagonals of the picture, or None for that of a telephone.
        most : optional
            Number of pendulums, of which the first are taken; by default all.
        strict : default False
            Whether to refuse a film of which one pendulum is none, rather than to leave that one out.

        Returns
        -------
        Tracking
            All pendulums, numbered from the left.

        Raises
        ------
        InputError
            If no pendulum swings, or is seen in enough frames, or if there are fewer than demanded.
        """
        t = np.array(self.t)
        numbers = {k: self._sharpened(t, k) for pair in pairs for k in pair if k is not None}
        motions = self._motions()
        chosen: list[tuple[Ends, Angles]] = []
        pixels = []
        refusal: InputError | None = None
        for low, up in pairs:
            if len(chosen) == most:
                break
            try:
                chosen.append(
                    self._course(t, numbers[low], None if up is None else numbers[up], motions, f"a pendulum of {name}")
                )
            except InputError as error:
                if strict:
                    raise
                refusal = refusal or error
                continue
            parts = [pixels_table(0, "lower", t, numbers[low][:, :2])]
            if up is not None:
                parts.insert(0, pixels_table(0, "upper", t, numbers[up][:, :2]))
            pixels.append(pandas.concat(parts, ignore_index=True))
        if refusal is not None and not chosen:
            raise refusal
        if most is not None and len(chosen) < most:
            raise InputError(f"{name} shows {len(chosen)} swinging pendulums, not {most}; give their markers' pixels")
        places, first = zip(*chosen, strict=True)
        done = from_the_front(places, first, size, focal_length, f"a pendulum of {name}")
        return gather(done, pixels, provenance)

    def _sharpened(self, t: Floats, k: int) -> Floats:
        """Return the numbers of `_table` without what blur did to the place, and then that as x and y, ``(T, 7)``."""
        numbers, slowest = _table(self.places[k]), self.slowest[k]
        pulls = np.zeros((len(t), 2))
        if slowest is not None:
            velocity = np.gradient(numbers[:, :2], t, axis=0)
            pulls = displacements(slowest[1], velocity, numbers[:, 4], numbers[:, 2], float(np.median(np.diff(t))))
        return np.hstack([numbers[:, :2] - pulls, numbers[:, 2:], pulls])

    def _course(
        self, t: Floats, lower: Floats, upper: Floats | None, motions: list[tuple[Points, Points, bool]], name: str
    ) -> tuple[Ends, Angles]:
        """Return the ends of a pendulum and its angles for the likeliest motion of the camera.

        A false roll, of things that moved in front of the camera, makes the angle rougher, a true one smoother.
        """
        courses: list[tuple[Ends, Angles]] = []
        refusal: InputError | None = None
        for a, b, steady in motions:
            low = (lower[:, 0] + 1j * lower[:, 1] - b) / a
            up = None if upper is None else (upper[:, 0] + 1j * upper[:, 1] - b) / a
            masses = lower[:, 2], None if upper is None else upper[:, 2]
            pull: Points = lower[:, 5] + 1j * lower[:, 6]
            if upper is not None:
                pull = pull - (upper[:, 5] + 1j * upper[:, 6])
            ends = Ends(t, low, up, *masses, change=lower[:, 3], steady=steady, place_error=PLACE, pull=pull)
            try:
                courses.append((ends, angles(ends, name)))
            except InputError as error:
                refusal = refusal or error
        if not courses and refusal is not None:
            raise refusal
        return min(courses, key=lambda course: course[1].report.jitter)

    def _motions(self) -> list[tuple[Points, Points, bool]]:
        """Return what the camera's motion (a, b) may be, in pixels of the film: shifts, and if it seems to roll, with roll.

        The last item says whether the roll is included.
        """
        rows = np.array(self.camera).reshape(-1, 5)
        a, b, noise = rows[:, 0] + 1j * rows[:, 1], rows[:, 2] + 1j * rows[:, 3], rows[:, 4]
        middle = self.sample.middle
        known = np.isfinite(a) & np.isfinite(b)
        if middle is None or not known.any():
            return [(np.ones(len(a), complex), np.zeros(len(a), complex), False)]
        index = np.arange(len(a))
        a, b = (
            np.interp(index, index[known], z[known].real) + 1j * np.interp(index, index[known], z[known].imag) for z in (a, b)
        )
        scale = float(self.sample.scale.mean())
        # pixel centres: film = (small + 1/2) scale - 1/2
        offset = (1 + 1j) * (scale - 1) / 2
        b = b * scale + offset * (1 - a)
        middle = middle * scale + offset
        motions = [(np.ones_like(a), b + a * middle - middle, False)]
        if np.angle(a).var() > ROLLS * np.nanmean(noise**2):
            motions.append((a, b, True))
        return motions


def _table(places: array[float]) -> Floats:
    """Return x, y, mass, change and spread of one marker in each frame, ``(T, 5)``."""
    return np.array(places).reshape(-1, 5)
