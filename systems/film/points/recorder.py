"""Record the markers of a film, frame by frame, forwards and backwards from the frame in which they were given."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from copy import deepcopy
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.points.corrections import Clicks
from systems.film.points.follow import Follower, look_for
from systems.film.points.looks import Box, Look, Sight
from systems.film.points.settle import Record
from systems.film.points.sources import Source, backwards
from systems.film.points.start import Start
from systems.film.tracking.decode import Frame


def recorded(
    source: Source,
    begin: Frame,
    first: int,
    starts: list[Start],
    limits: Box,
    span: tuple[float, float],
    clicks: Clicks,
    bar: Any,
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[Record]]:
    """Follow markers through a film.

    Parameters
    ----------
    source
        The film.
    begin, first
        The frame in which the markers are given, and its number.
    starts
        Their appearances and places there.
    limits
        Part of the frames in which they stay.
    span
        First and last time [s].
    clicks
        Places that the user has clicked.
    bar
        Progress bar to update.

    Returns
    -------
    frames, times : shape ``(T,)``
        Numbers and time stamps [s] of the frames.
    records : list of Record
        What was seen of each marker.
    """
    back, on = ([Follower(deepcopy(look), place, limits, begin) for look, place in starts] for _ in range(2))
    before = _run(back, backwards(source, first), first - 1, -1, span, clicks, bar) if first else _Log(len(back))
    after = _run(on, islice(source.frames(), first, None), first, 1, span, clicks, bar)
    return _joined(before, after, [(one.look, other.look) for one, other in zip(back, on, strict=True)])


class _Log:
    """What was seen of each marker, frame by frame."""

    def __init__(self, markers: int) -> None:
        self.frames: list[int] = []
        self.t = array("d")
        self.sights = [array("d") for _ in range(markers)]  # x, y, size, likeness, change, clicked

    def rows(self, k: int) -> NDArray[np.float64]:
        return np.array(self.sights[k], dtype=np.float64).reshape(-1, 6)


def _run(
    followers: list[Follower],
    frames: Iterable[Frame],
    number: int,
    step: int,
    span: tuple[float, float],
    clicks: Clicks,
    bar: Any,
) -> _Log:
    log = _Log(len(followers))
    previous: Frame | None = None
    for frame in frames:
        if not span[0] <= frame.t <= span[1]:
            if (frame.t > span[1]) == (step > 0):
                break
            number += step
            continue
        for k, follower in enumerate(followers):
            if (click := clicks.get((number, k))) is not None and isfinite(click[0]):
                follower.restart(click)
        sights = look_for(followers, frame)
        log.frames.append(number)
        log.t.append(frame.t)
        for k, sight in enumerate(sights):
            click = clicks.get((number, k))
            if click is not None and not (isfinite(click[0]) and sight is not None):
                sight = Sight(*click) if isfinite(click[0]) else None
                followers[k].take(frame, sight)
                log.sights[k].extend((*click, 1.0, 0.5, np.nan, float(isfinite(click[0]))))
            elif sight is None:
                log.sights[k].extend((np.nan, np.nan, np.nan, 0.0, np.nan, 0.0))
            else:
                change = _change(previous, frame, sight, followers[k].look.radius)
                log.sights[k].extend((sight.x, sight.y, sight.size, sight.likeness, change, 0.0))
        previous = frame
        number += step
        bar.update()
    return log


def _change(previous: Frame | None, frame: Frame, sight: Sight, radius: float) -> float:
    """Return how much the picture around a marker differs from the previous frame [grey levels]."""
    if previous is None:
        return float("nan")
    reach = round(1.5 * radius) + 2
    rows = slice(max(0, round(sight.y) - reach), round(sight.y) + reach + 1)
    columns = slice(max(0, round(sight.x) - reach), round(sight.x) + reach + 1)
    return float(cv2.absdiff(frame.y[rows, columns], previous.y[rows, columns]).mean())


def _joined(before: _Log, after: _Log, looks: list[tuple[Look, Look]]) -> tuple[Any, Any, list[Record]]:
    """Return frames, times and records of both directions, in order of time."""
    frames = np.array([*before.frames[::-1], *after.frames], dtype=np.int64)
    times = np.array([*before.t[::-1], *after.t], dtype=np.float64)
    records = []
    for k, both in enumerate(looks):
        back, on = before.rows(k)[::-1], after.rows(k)
        if len(back):  # the change from the frame before, which was read later
            back[1:, 4], back[0, 4] = back[:-1, 4].copy(), np.nan
        x, y, size, likeness, change, clicked = np.concatenate([back, on]).T
        records.append(Record(x, y, size, likeness, change, clicked > 0, both[1].radius, max(look.error for look in both)))
    return frames, times, records
