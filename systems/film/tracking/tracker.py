"""Track the pendulums of a film, from the file to their angles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from systems.errors import InputError
from systems.film.tracking.decode import FilmReader
from systems.film.tracking.discover import discover
from systems.film.tracking.follower import Follower, Follows
from systems.film.tracking.given import best, followers_of, likeliest_first, paired, starts_of
from systems.film.tracking.hues import HUES
from systems.film.tracking.kept_film import KeptFilm
from systems.film.tracking.pairing import Found
from systems.film.tracking.recorder import Recorder
from systems.film.tracking.result import Tracking
from systems.film.tracking.sample import SPAN, Sample
from systems.film.tracking.view import check

DOUBTFUL = 0.1  # of the frames that are lost, or relative error of the amplitude: the wrong thing may have been followed

Markers = str | Sequence[str] | Sequence[tuple[float, float]]


def track(
    film: str | os.PathLike[str],
    *,
    markers: Markers | None = None,
    pendulums: int | None = None,
    focal_length: float | None = None,
    progress: bool = False,
) -> Tracking:
    """Track the pendulums in a film, each by its two ends, or by its arc if only one end is visible.

    The film is decoded once, in constant memory; again if the first 12 s take more than 512 MB, or if what was followed at
    first turns out to be no pendulum.

    Parameters
    ----------
    film
        The film.
    markers : optional
        Colours of the markers by name, as ``"red,blue"`` or a list, or pixels ``(x, y)`` of the first frame, one on each
        marker. By default the swinging markers, and those from which they hang, are found in the film's first 12 s.
    pendulums : optional
        Number of pendulums, of which the likeliest are taken; by default all that are found.
    focal_length : optional
        Focal length of the lens in diagonals of the picture (millimetres of 35 mm film / 43.3). By default that of a
        telephone, 0.75 with an error of 20 %.
    progress : default False
        Whether to show a progress bar.

    Returns
    -------
    Tracking
        Angles about the middle of the swing, positive to the right of a viewer for whom the pendulum hangs down, whichever
        way up the film is.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If the file is not a film, is truncated, or shows nothing that swings, or if an argument is out of range.
    MissingExtraError
        If PyAV or OpenCV is not installed.

    Notes
    -----
    A camera that looks from the side is recognized by rods that seem to grow to one side, and its yaw is undone if it is
    beyond doubt (``Report.yaw``, and ``systems.film.tracking.view.seen_from_the_front``). Otherwise the angles stay scaled by
    about cos(yaw). This happens if only one end is seen, if the upper end stands still, if the lower end is as high as the
    picture's middle, or if a single pendulum hangs far to one side of it. A camera that looks up or down scales the angles
    by about cos(pitch).
    """
    colours, pixels = _choice(markers)
    if pendulums is not None and pendulums < 1:
        raise InputError(f"pendulums must be at least 1, not {pendulums}")
    check(focal_length)
    source = KeptFilm(film, SPAN)
    sample = Sample.of(source)
    told = {"film": source.path.name, "markers": "found" if markers is None else "given"}

    def tracked(recorder: Recorder, pairs: Sequence[tuple[int, int | None]], most: int | None, strict: bool) -> Tracking:
        size = source.width, source.height
        return recorder.tracking(pairs, source.path.name, told, size, focal_length, most=most, strict=strict)

    def given(points: Sequence[tuple[float, float]]) -> tuple[Recorder, list[tuple[int, int | None]]]:
        pointed = pixels is not None
        return _followed(source, sample, followers_of(source, sample, points, pointed), progress, pointed)

    if pixels is not None:
        return tracked(*given(pixels), pendulums, True)
    refusal = usual = None
    try:
        usual = tracked(*_found(source, discover(sample, colours), sample, progress), pendulums, False)
        wanted = 2 if colours is not None and len(colours) > 1 else 1  # ends
        if _doubt(usual) < DOUBTFUL and _ends(usual) >= wanted:
            return usual
    except InputError as error:
        refusal = error
    try:  # what does not swing evenly from the start is followed like a given marker
        recorder, pairs = given(starts_of(source, sample, colours))
        other = tracked(recorder, likeliest_first(recorder.paths(), pairs), pendulums or 1, False)
    except InputError:
        if usual is None:
            raise (refusal or InputError(f"nothing swings in {film}")) from None
        return usual
    better = usual is None or _ends(other) > _ends(usual) or _doubt(other) < _doubt(usual) / 2
    return other if better or usual is None else usual


def _ends(tracking: Tracking) -> int:
    """Return the number of visible ends of the pendulum that has the most."""
    return max(report.ends for report in tracking.report)


def _doubt(tracking: Tracking) -> float:
    """Return the part of the frames without an angle, of those that are new, or the relative error of the amplitude.

    Whichever is the largest of any pendulum counts.
    """
    return max(
        max((report.lost - report.duplicates) / (report.frames - report.duplicates), report.amplitude_error / report.amplitude)
        for report in tracking.report
    )


def _found(
    source: FilmReader, found: Sequence[Found], sample: Sample, progress: bool
) -> tuple[Recorder, list[tuple[int, int | None]]]:
    """Follow the pendulums that were found in the start of a film."""
    ends = [(pendulum.lower, pendulum.upper) for pendulum in found]
    seen = {id(end): end for pair in ends for end in pair if end is not None}
    numbers = {key: number for number, key in enumerate(seen)}
    recorder = _recorded(source, Recorder([Follower.of_candidate(end) for end in seen.values()], sample), progress)
    return recorder, [(numbers[id(lower)], None if upper is None else numbers[id(upper)]) for lower, upper in ends]


def _followed(
    source: FilmReader, sample: Sample, ways: Sequence[Sequence[Follows]], progress: bool, strict: bool
) -> tuple[Recorder, list[tuple[int, int | None]]]:
    """Follow markers, each in several ways of which the best is taken, and pair them."""
    recorder = _recorded(source, Recorder([follower for way in ways for follower in way], sample), progress)
    paths = recorder.paths()
    ends = np.cumsum([len(way) for way in ways]).tolist()
    chosen = [end - len(way) + best(paths[end - len(way) : end]) for end, way in zip(ends, ways, strict=True)]
    pairs = paired([paths[k] for k in chosen])
    # a given pivot that is hard to see, so that something else was followed, may fit as a place that stands still
    singles = [low for low, up in pairs if up is None and strict]
    for alone in singles if len(pairs) > 1 else []:
        others = [ends[k] - 1 if k == alone else way for k, way in enumerate(chosen)]
        again = paired([paths[k] for k in others])
        if sum(up is not None for _, up in again) > sum(up is not None for _, up in pairs):
            chosen, pairs = others, again
    return recorder, [(chosen[low], None if up is None else chosen[up]) for low, up in pairs]


def _recorded(source: FilmReader, recorder: Recorder, progress: bool) -> Recorder:
    for frame in tqdm(source.frames(), disable=not progress, unit="frame", desc=source.path.name):
        recorder.add(frame)
    return recorder


def _choice(markers: Markers | None) -> tuple[list[str] | None, list[tuple[float, float]] | None]:
    """Return the names of colours or the pixels that a user gave."""
    if markers is None:
        return None, None
    given: list[Any] = markers.split(",") if isinstance(markers, str) else list(markers)
    if given and all(isinstance(item, str) for item in given):
        names = [item.strip().lower() for item in given]
        if unknown := [name for name in names if name not in HUES]:
            raise InputError(f"no colour is named {unknown[0]!r}; there are {', '.join(HUES)}")
        return names, None
    try:
        points = [(float(x), float(y)) for x, y in given]
    except (TypeError, ValueError):
        points = []
    if not points:
        raise InputError(f"markers must be names of colours or pixels (x, y) of the first frame, not {markers!r}")
    return None, points
