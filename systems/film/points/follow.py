"""Follow markers from frame to frame: predict, look, lose what is not surely seen, and find it again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import hypot, log

import numpy as np

from systems.film.points.looks import Box, Look, Sight, unlike
from systems.film.tracking.decode import Frame
from systems.film.tracking.markers import window

MEMORY = 8  # frames after which no prediction holds
FIRST = 0.06  # of the picture's diagonal: how far a marker of unknown velocity may move from one frame to the next
CHANGE = 2.5  # factor by which a marker's area may differ from its usual one
SURE = 1.7  # the same for a marker that was lost, which must not be mistaken for another one
LIKELY, CERTAIN = 0.6, 0.75  # likeness to the marker that is needed while it is followed, and after it was lost
ALONE = 1.3  # the same beside something that looks like it, with which it may merge
DISTINCT = 1.5  # by which the cost of the second best sight of a lost marker must exceed that of the best one
SAME = 0.15  # of the marker's contrast: a smaller change since the first frame is none
DIM = 0.6  # part of the clearness that is expected at its speed, below which a sight is of something paler
FAMILIAR = 5  # sights by which it is known how clear the marker is
USUAL = 25  # sights whose median is the usual area


@dataclass
class Follower:
    """The course of one marker so far, and what to expect of it.

    Parameters
    ----------
    look
        Its appearance.
    place
        x and y where it is at first [pixels].
    limits
        Box within which it is searched [pixels].
    first
        The frame in which it was given.
    """

    look: Look
    place: tuple[float, float]
    limits: Box
    first: Frame
    seen: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=3))  # t, x, y
    peaks: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=USUAL))  # speed, peak
    sizes: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL))
    speed: float = 0.0  # the largest so far [pixels/s]
    turn: float = 0.0
    lost: bool = False
    times: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))  # of the last frames

    def __post_init__(self) -> None:
        self.start = self.place

    def restart(self, place: tuple[float, float]) -> None:
        """Begin anew at a place."""
        self.place, self.lost = place, False
        self.seen.clear()

    def expected(self, t: float) -> tuple[float, float, float]:
        """Return where the marker should be at time t, and how far from there it may be [pixels]."""
        radius = self.look.radius
        diagonal = hypot(self.limits[2] - self.limits[0], self.limits[3] - self.limits[1])
        if not self.seen:
            return (*self.place, 1.5 * radius + 2)
        now, x, y = self.seen[-1]
        dt = t - now
        memory = abs(t - self.times[0])
        known = [one for one in self.seen if abs(now - one[0]) < memory]
        if len(known) < 2:
            return x, y, 1.5 * radius + FIRST * diagonal
        (before, u, v), last = known[-2], self.seen[-1]
        vx, vy = (last[1] - u) / (now - before), (last[2] - v) / (now - before)
        ax = ay = 0.0
        fastest = hypot(vx, vy)
        if len(known) == 3:
            first, p, q = known[0]
            half = (now - first) / 2
            px, py = (u - p) / (before - first), (v - q) / (before - first)
            ax, ay, fastest = (vx - px) / half, (vy - py) / half, max(fastest, hypot(px, py))
        reach = 1.5 * radius + 4 + 2 * fastest * abs(dt) + hypot(ax, ay) * dt**2  # a repeated frame seems to stop it
        if abs(dt) > memory or self.lost:
            reach += self.speed * abs(dt)
            dt, ax, ay = float(np.clip(dt, -memory, memory)), 0.0, 0.0
        # Newton's polynomial through the last three sights
        px, py = (p + v * dt + a * dt * (dt + now - before) / 2 for p, v, a in ((x, vx, ax), (y, vy, ay)))
        return px, py, min(reach, diagonal)

    def sights(self, frame: Frame, others: Sequence[tuple[float, float]]) -> list[tuple[float, Sight]]:
        """Return what may be the marker, with the cost of taking it for the marker: small for a good match.

        Parameters
        ----------
        frame
            The frame.
        others
            Where other markers should be, with which this one may merge [pixels].
        """
        x, y, reach = self.expected(frame.t)
        seen = self._seen(frame, x, y, reach)
        if any(sight.cut for sight in seen):
            seen = self._seen(frame, x, y, 2 * reach + 2 * self.look.radius)
        usual = float(np.median(self.sizes)) if self.sizes else 1.0
        recent = self.sizes[-1] if self.sizes else 1.0
        most, least = (SURE, CERTAIN) if self.lost else (CHANGE, LIKELY)
        radius = self.look.radius
        still = [(sight.x, sight.y) for sight in seen if self._is_background(frame, sight)]
        found = []
        for sight in seen:
            off, limit = min(abs(log(sight.size / usual)), abs(log(sight.size / recent))), most
            if any(0 < hypot(sight.x - a, sight.y - b) < 2 * radius + 4 for a, b in (*others, *still)):
                off, limit = abs(log(sight.size / usual)), ALONE  # two things that touch look like a larger one
            away = hypot(sight.x - x, sight.y - y)
            clear = sight.peak >= self._least_peak(self._speed_to(sight, frame.t))
            known = clear and off <= log(limit) and sight.likeness >= least and away <= reach + radius
            if known and (sight.x, sight.y) not in still:
                found.append((away / (2 * radius + 4) + 1.5 * off + 2 * (1 - sight.likeness), sight))
        return sorted(found, key=lambda one: one[0])

    def _speed_to(self, sight: Sight, t: float) -> float:
        """Return the speed from the last sight to this one [pixels/s]."""
        if not self.seen:
            return 0.0
        before, x, y = self.seen[-1]
        return hypot(sight.x - x, sight.y - y) / abs(t - before)

    def _least_peak(self, speed: float) -> float:
        """Return how clearly the marker must be seen at a speed, by how clearly it was seen at other speeds.

        The light of a marker that moves during the exposure is spread over its way: 1 / peak grows linearly with the speed.
        """
        if len(self.peaks) < FAMILIAR:
            return 0.0
        v, spread = np.array([one for one, _ in self.peaks]), np.array([1 / peak for _, peak in self.peaks])
        scatter = float(v.var())
        slope = max(0.0, float(np.cov(v, spread, bias=True)[0, 1]) / scatter) if scatter > 0 else 0.0
        return DIM / max(1.0, float(spread.mean()) + slope * (speed - float(v.mean())))

    def _is_background(self, frame: Frame, sight: Sight) -> bool:
        """Return whether the same was there in the first frame, where the marker was at another place."""
        radius = self.look.radius
        if hypot(sight.x - self.start[0], sight.y - self.start[1]) < 2 * radius + 2:
            return False
        if any(
            hypot(sight.x - other.x, sight.y - other.y) < 0.3 * radius + 0.5 and 1 / ALONE < sight.size / other.size < ALONE
            for other in self.look.find(self.first, _around(sight, 2 * radius + 4), self.turn)
        ):
            return True
        now, then = (window(frame, *_around(sight, radius))[0] for frame in (frame, self.first))
        share = min(0.5, sight.size * radius**2 / now[..., 0].size)  # a third of the pixels that are the marker's
        return float(np.quantile(unlike(now, then), 1 - share)) < SAME * self.look.contrast

    def _seen(self, frame: Frame, x: float, y: float, reach: float) -> list[Sight]:
        box = _around(Sight(x, y), reach)
        left, top, right, bottom = self.limits
        return [
            sight
            for sight in self.look.find(frame, box, self.turn)
            if left <= sight.x + 0.5 < right and top <= sight.y + 0.5 < bottom
        ]

    def take(self, frame: Frame, sight: Sight | None) -> None:
        """Note where the marker is, or that it was not seen."""
        self.lost = sight is None
        self.times.append(frame.t)
        if sight is None:
            return
        speed = self._speed_to(sight, frame.t)
        self.speed = max(self.speed, speed)
        self.peaks.append((speed, max(sight.peak, 0.1)))
        self.seen.append((frame.t, sight.x, sight.y))
        self.sizes.append(sight.size)
        self.turn = sight.turn
        self.look.learn(frame, sight)


def look_for(followers: Sequence[Follower], frame: Frame) -> list[Sight | None]:
    """Find all markers in a frame, no two of them at the same place.

    Parameters
    ----------
    followers
        The markers.
    frame
        The frame.

    Returns
    -------
    list of Sight or None
        One per marker; None where it is not seen.
    """
    places = [one.expected(frame.t)[:2] for one in followers]
    sights = [one.sights(frame, [*places[:k], *places[k + 1 :]]) for k, one in enumerate(followers)]
    chosen: dict[int, Sight] = {}
    for lost in (False, True):
        free = {
            k: [one for one in sights[k] if not _taken(one[1], chosen.values(), follower.look.radius)]
            for k, follower in enumerate(followers)
            if follower.lost == lost
        }
        if lost:  # of two things that look like a lost marker, neither is taken for it, unless one is much nearer
            free = {k: own for k, own in free.items() if len(own) == 1 or (own and own[1][0] - own[0][0] > DISTINCT)}
        for _, k, sight in sorted(
            ((cost, k, sight) for k, own in free.items() for cost, sight in own), key=lambda one: one[0]
        ):
            if k not in chosen and not _taken(sight, chosen.values(), followers[k].look.radius):
                chosen[k] = sight
    for k, follower in enumerate(followers):
        follower.take(frame, chosen.get(k))
    return [chosen.get(k) for k in range(len(followers))]


def _around(sight: Sight, reach: float) -> Box:
    return int(sight.x - reach), int(sight.y - reach), int(sight.x + reach) + 2, int(sight.y + reach) + 2


def _taken(sight: Sight, others: Iterable[Sight], radius: float) -> bool:
    return any(hypot(sight.x - other.x, sight.y - other.y) < 0.7 * radius for other in others)
