"""Follow a marker from frame to frame, lose it behind things, and find it again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from systems.film.tracking.arrays import Floats
from systems.film.tracking.candidates import Candidate
from systems.film.tracking.decode import Frame
from systems.film.tracking.markers import Blob, blobs, window

MEMORY = 0.12  # seconds after which no prediction holds, and a marker is searched for wherever it was before
LEAST, MOST = 0.4, 2.0  # of the usual mass: a smaller blob is partly hidden, a larger one is not the marker alone


class Follower:
    """Searches for one marker near the place that its last positions predict, or else wherever it has been before.

    Its home is the box in which it has been seen, so that another marker of the same colour with a home of its own is not
    mistaken for it.

    Parameters
    ----------
    candidate
        The marker, as found in the start of the film.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.paint, self.mass, self.radius = candidate.paint, candidate.mass, candidate.radius
        seen = candidate.track[np.isfinite(candidate.track).all(axis=1)]
        self.low, self.high = seen.min(axis=0), seen.max(axis=0)
        self.start = seen[0]
        self.seen: list[tuple[float, float, float]] = []  # the last two, as (t, x, y)
        self.margin = 2 * self.radius + 0.15 * float(np.max(self.high - self.low)) + 4
        grow = self.margin + 0.5 * (self.high - self.low)
        self.bounds = self.low - grow, self.high + grow  # a swing may grow, but must not follow a hand out of the picture
        self.speed = 2 * np.pi / candidate.swing.period * candidate.swing.size if candidate.moves else 0.0

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
            reach = 1.5 * self.radius + 5 + 0.5 * self.speed * (frame.t - self.seen[-1][0])
            blob = self._search(frame, expected, expected - reach, expected + reach)
        if blob is None:
            move = np.array(shift)
            blob = self._search(frame, expected, self.low + move - self.margin, self.high + move + self.margin)
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

    def _search(self, frame: Frame, expected: Floats, low: Floats, high: Floats) -> Blob | None:
        view, left, top = window(frame, *(int(v) for v in np.floor(low)), *(int(v) for v in np.ceil(high) + 1))
        if view.size == 0:
            return None
        found = [
            replace(blob, x=blob.x + left, y=blob.y + top)
            for blob in blobs(self.paint.amount(view), LEAST * self.mass)
            if blob.mass < MOST * self.mass
        ]

        def far(blob: Blob) -> float:
            distance = float(np.hypot(blob.x - expected[0], blob.y - expected[1]))
            return min(distance / (3 * self.radius), 1.5) + 3 * abs(float(np.log(blob.mass / self.mass)))

        return min(found, key=far, default=None)
