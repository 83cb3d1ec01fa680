"""Follow a marker from frame to frame, lose it behind things, and find it again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from systems.film.tracking.arrays import Floats
from systems.film.tracking.backdrop import Moved
from systems.film.tracking.candidates import Candidate
from systems.film.tracking.decode import Frame
from systems.film.tracking.foreground import Foreground
from systems.film.tracking.markers import Blob, Paint, blobs, window

MEMORY = 0.12  # seconds after which no prediction holds, and a marker is searched for wherever it was before
MASSES = 0.4, 2.0  # of the usual mass: a smaller blob is partly hidden, a larger one is not the marker alone
LOOSE = 0.15, 6.0  # the same for what hides the background, which is more of it in front of some parts than of others


class Follows(Protocol):
    """What finds one marker in each frame, in order of time."""

    @property
    def radius(self) -> float:
        """Radius of the marker [pixels]."""

    @property
    def paint(self) -> Paint | None:
        """Colour of the marker against its surroundings, if it is found by that."""

    def look(self, frame: Frame, shift: tuple[float, float]) -> Blob | None:
        """Find the marker in a frame that the camera has shifted [pixels of the film]; None where it is not seen."""


@dataclass
class Follower:
    """Searches for one marker near the place that its last positions predict, or else wherever it has been before.

    Its home is the box in which it has been seen, so that another marker of the same colour with a home of its own is not
    mistaken for it.

    Parameters
    ----------
    sight
        What distinguishes the marker from its surroundings.
    mass, radius
        Its area and its radius [pixels].
    start : shape ``(2,)``
        Where it is in the first frame [pixels].
    low, high : shape ``(2,)``
        Corners of its home [pixels].
    bounds
        Corners of the box that its home may grow to fill [pixels].
    margin
        How far around its home it is searched for [pixels].
    speed
        Its largest speed [pixels/s].
    masses
        Smallest and largest mass relative to the usual one.
    """

    sight: Paint | Moved
    mass: float
    radius: float
    start: Floats
    low: Floats
    high: Floats
    bounds: tuple[Floats, Floats]
    margin: float
    speed: float
    masses: tuple[float, float]
    seen: list[tuple[float, float, float]] = field(default_factory=list)  # the last two, as (t, x, y)

    @classmethod
    def of_candidate(cls, candidate: Candidate) -> Follower:
        """Follow a marker that was found in the start of the film."""
        seen = candidate.track[np.isfinite(candidate.track).all(axis=1)]
        low, high = seen.min(axis=0), seen.max(axis=0)
        margin = 2 * candidate.radius + 0.15 * float(np.max(high - low)) + 4
        grow = margin + 0.5 * (high - low)  # a swing may grow, but must not follow a hand out of the picture
        speed = 2 * np.pi / candidate.swing.period * candidate.swing.size if candidate.moves else 0.0
        bounds = low - grow, high + grow
        return cls(candidate.paint, candidate.mass, candidate.radius, seen[0], low, high, bounds, margin, speed, MASSES)

    @classmethod
    def of_foreground(cls, given: Foreground, reach: float) -> Follower:
        """Follow a marker that was given in the first frame, wherever it goes, by what it hides of the background.

        Parameters
        ----------
        given
            The marker.
        reach
            How far from its home it may be where it has just been lost [pixels].
        """
        anywhere = np.full(2, -np.inf), np.full(2, np.inf)
        home, radius = (given.centre, given.centre), float(np.sqrt(given.mass / np.pi))
        return cls(given.moved, given.mass, radius, given.centre, *home, anywhere, reach, 0.0, LOOSE)

    @property
    def paint(self) -> Paint | None:
        """Colour of the marker against its surroundings, if it is found by that."""
        return self.sight if isinstance(self.sight, Paint) else None

    def look(self, frame: Frame, shift: tuple[float, float]) -> Blob | None:
        """Find the marker in a frame.

        Parameters
        ----------
        frame
            The frame.
        shift
            How far the camera has shifted the frame [pixels of the film].

        Returns
        -------
        Blob or None
            The marker, None where it is not seen.
        """
        expected, fresh = self._predict(frame.t, shift)
        blob = None
        if fresh:
            elapsed = frame.t - self.seen[-1][0]
            reach = 1.5 * self.radius + 5 + 0.5 * max(self.speed, self._speed()) * elapsed
            blob = self._search(frame, expected, expected - reach, expected + reach)
        if blob is None:
            move, margin = np.array(shift), self.margin
            if self.masses == LOOSE and self.seen:
                margin *= 1 + (frame.t - self.seen[-1][0]) / MEMORY
            blob = self._search(frame, expected, self.low + move - margin, self.high + move + margin)
        if blob is not None:
            self.seen = [*self.seen[-1:], (frame.t, blob.x, blob.y)]
            here = np.array([blob.x - shift[0], blob.y - shift[1]])
            self.low = np.maximum(np.minimum(self.low, here), self.bounds[0])
            self.high = np.minimum(np.maximum(self.high, here), self.bounds[1])
        return blob

    def _predict(self, t: float, shift: tuple[float, float]) -> tuple[Floats, bool]:
        if not self.seen:
            return self.start + np.array(shift), False
        now, *last = self.seen[-1]
        if len(self.seen) < 2 or t - now > MEMORY or now - self.seen[0][0] > MEMORY:
            return np.array(last), False
        before, *first = self.seen[0]
        return np.array(last) + (np.array(last) - np.array(first)) * (t - now) / (now - before), True

    def _speed(self) -> float:
        """Return the speed at which the marker was seen to move last [pixels/s]."""
        (before, *first), (now, *last) = self.seen
        return float(np.hypot(*(np.array(last) - np.array(first)))) / (now - before)

    def _search(self, frame: Frame, expected: Floats, low: Floats, high: Floats) -> Blob | None:
        view, left, top = window(frame, *(int(v) for v in np.floor(low)), *(int(v) for v in np.ceil(high) + 1))
        if view.size == 0:
            return None
        amount = self.sight.amount(view, left, top) if isinstance(self.sight, Moved) else self.sight.amount(view)
        least, most = self.masses
        found = [replace(blob, x=blob.x + left, y=blob.y + top) for blob in blobs(amount, least * self.mass, most * self.mass)]

        def far(blob: Blob) -> float:
            distance = float(np.hypot(blob.x - expected[0], blob.y - expected[1]))
            # where the mass may vary it says less about which blob is the marker
            weight = 3 if self.masses == MASSES else 1
            return min(distance / (3 * self.radius), 1.5 * (4 - weight)) + weight * abs(float(np.log(blob.mass / self.mass)))

        return min(found, key=far, default=None)
