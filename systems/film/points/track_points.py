"""Track any markers of any film as points."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from systems.errors import AccuracyWarning, InputError, outside
from systems.film.points import start
from systems.film.points.axes import axes_of
from systems.film.points.corrections import clicks_of
from systems.film.points.looks import Box
from systems.film.points.positions import Positions
from systems.film.points.recorder import recorded
from systems.film.points.settle import settled
from systems.film.points.sources import Source, kept, source_of
from systems.film.points.spot import Spot
from systems.film.tracking.decode import Frame
from systems.scalars import whole

RARE = 0.5  # part of the frames in which a marker must be seen, for the track to be of use without a warning

Film = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | NDArray[Any]


def track_points(
    film: Film,
    points: ArrayLike | None = None,
    *,
    colours: str | Sequence[Any] | None = None,
    template: Any = None,
    frame: int | None = None,
    scale: float | tuple[Sequence[float], Sequence[float], float] | None = None,
    origin: Sequence[float] | None = None,
    angle: float = 0.0,
    y_up: bool | None = None,
    time: tuple[float, float] | None = None,
    region: Sequence[float] | None = None,
    corrections: Any = None,
    t: ArrayLike | None = None,
    fps: float | None = None,
    progress: bool = False,
) -> Positions:
    """Track any markers in a film, whatever they do: their places in each frame, with errors.

    Give the markers by exactly one of ``points``, ``colours`` and ``template``. A marker that is a spot of one colour or shade
    is placed by the centre of that spot, any other by a picture of what surrounds the point. A marker that is hidden, blurred
    beyond recognition or out of the picture is lost, and its place is NaN until it is surely seen again.

    Parameters
    ----------
    film
        Path of a film (MP4, AVI, GIF and others), of a folder of pictures, or a list of pictures' paths, or an array of
        pictures ``(F, H, W)`` or ``(F, H, W, 3)`` in red, green and blue.
    points : (x, y) or shape ``(n, 2)``, optional
        A pixel on each marker in the frame ``frame``; the middle of the first pixel is (0, 0), and y points down.
    colours : str or sequence, optional
        The colour of each marker, by name (``"red"`` or ``"red,blue"``) or as (red, green, blue) from 0 to 255.
    template : (x, y, width, height), list of these, or array, optional
        A box around each marker in the frame ``frame``, or a picture ``(h, w)`` or ``(h, w, 3)`` of the marker. The place is
        that of the middle of the box.
    frame : int, optional
        Number of the frame in which the markers are given, counted from 0; by default the first one of ``time``. They are
        followed from there in both directions.
    scale : float or ((x, y), (x, y), length), optional
        Metres per pixel, or two pixels and their distance in metres. By default, places are in pixels.
    origin : (x, y), optional
        Pixel of the origin, by default (0, 0).
    angle : float, default 0
        Direction of the x axis, counter-clockwise to the viewer [degrees].
    y_up : bool, optional
        Whether y points up. By default it does if a scale or an origin is given.
    time : (float, float), optional
        First and last time to track [s], by default the whole film.
    region : (x, y, width, height), optional
        Part of the frames in which the markers stay [pixels], by default all.
    corrections : path or table, optional
        Places that you have clicked: a CSV file or a table with the columns frame, marker, x and y, in pixels. Tracking goes
        on from there; an empty place is a marker that is hidden.
    t, fps : shape ``(F,)``, or float, optional
        Times of pictures that have none of their own [s], or their rate [1/s].
    progress : bool, default False
        Whether to show a progress bar.

    Returns
    -------
    Positions
        Times ``t`` of shape ``(T,)``, and ``x``, ``y``, ``errors`` and ``quality`` of shape ``(n, T)``.

    Warns
    -----
    AccuracyWarning
        If a marker is seen in fewer than half of the frames.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If nothing at a point can be followed, if a colour is missing or not unique, or if an argument is out of range.
    MissingExtraError
        If PyAV or OpenCV is not installed.

    Notes
    -----
    Two markers that look alike, or a marker that passes a thing like it, are told apart by their courses. After a marker
    was lost, it is taken up again only where one thing alone looks like it. The camera must stand still, or one marker must
    stand still in the scene (`Positions.relative_to`).

    The errors hold for the place of a spot's middle in the picture; perspective and the lens are not corrected.

    References
    ----------
    Baker and Matthews, Int. J. Comput. Vis. 56, 221 (2004), for the placing of patches.

    Examples
    --------
    >>> import numpy as np
    >>> from systems.film import track_points
    >>> y, x = np.mgrid[:64, :96]
    >>> film = np.stack([255 * (np.hypot(x - 20 - k, y - 30) < 5) for k in range(40)]).astype(np.uint8)
    >>> found = track_points(film, points=(20, 30), fps=30)
    >>> bool(np.abs(found.x[0] - 20 - np.arange(40)).max() < 0.05)
    True
    """
    axes = axes_of(scale, origin, angle, y_up)
    source, name = source_of(film, t, fps)
    limits = _limits(source, region)
    span = _span(time)
    given = {"points": points, "colours": colours, "template": template}
    chosen = [key for key, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise InputError(f"give the markers by one of points, colours and template, not by {' and '.join(chosen) or 'none'}")
    first = _first(source, span, frame, name)
    begin = kept(next(islice(source.frames(), first, None)))
    starts = _starts(begin, limits, **given)
    clicks = clicks_of(corrections, len(starts))
    with tqdm(disable=not progress, unit="frame", desc=name) as bar:
        frames, times, records = recorded(source, begin, first, starts, limits, span, clicks, bar)
        x, y, errors, quality = settled(times, records)
        if (broken := [k for k in _broken(x) if isinstance(starts[k][0], Spot)]) and points is not None:
            # a spot of changing colour may still be known by its shape
            starts = [start.patch_around(begin, one[1]) if k in broken else one for k, one in enumerate(starts)]
            frames, times, records = recorded(source, begin, first, starts, limits, span, clicks, bar)
            x, y, errors, quality = settled(times, records)
    _check(x, name)
    provenance = {"film": name, "markers": chosen[0], "frame": first}
    own_x, own_y = axes.of_pixels(x, y)
    return Positions(times, own_x, own_y, axes.scale * errors, quality, frames, axes, provenance)


def _broken(x: NDArray[np.float64]) -> list[int]:
    """Return the markers that were lost most of the time between their first and last sight."""
    runs = [np.flatnonzero(np.isfinite(row)) for row in x]
    return [k for k, seen in enumerate(runs) if len(seen) == 0 or len(seen) < RARE * (seen[-1] - seen[0] + 1)]


def _check(x: NDArray[np.float64], name: str) -> None:
    """Raise InputError if a marker was not followed at all, and warn if it was seen rarely."""
    advice = "give another frame, a template around it, a region or a range of time in which it is visible, or corrections"
    for k in _broken(x):
        raise InputError(
            f"marker {k} of {name} is lost most of the time, and what was found in {np.isfinite(x[k]).sum()} of {len(x[k])} "
            f"frames may be other things: {advice}"
        )
    for k, row in enumerate(x):
        if (seen := np.isfinite(row).mean()) < RARE:
            message = f"marker {k} of {name} is seen in {seen:.0%} of the frames only; {advice}"
            warnings.warn(message, AccuracyWarning, stacklevel=outside())


def _starts(frame: Frame, limits: Box, points: Any, colours: Any, template: Any) -> list[start.Start]:
    if template is not None:
        return start.like(frame, template)
    if colours is not None:
        names = [one.strip() for one in colours.split(",")] if isinstance(colours, str) else list(colours)
        if len(names) == 3 and all(isinstance(one, int | float) for one in names):
            names = [tuple(names)]
        if not names:
            raise InputError("colours must name at least one colour, such as 'red'")
        return start.of_colours(frame, names, limits)
    try:
        places = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        places = np.empty(0)
    if places.size == 0 or places.shape[-1:] != (2,) or places.ndim > 2 or not np.isfinite(places).all():
        raise InputError(f"points must be pixels (x, y) or a list of them, not {points!r:.80}")
    return start.at_points(frame, [(float(x), float(y)) for x, y in places.reshape(-1, 2)])


def _first(source: Source, span: tuple[float, float], frame: int | None, name: str) -> int:
    """Return the number of the frame in which the markers are given."""
    wanted = None if frame is None else whole("frame", frame)
    if wanted is not None and wanted < 0:
        raise InputError(f"frame counts from 0, and must not be {frame}")
    count = 0
    for one in source.frames():
        if wanted is None and one.t >= span[0]:
            break
        if wanted == count:
            break
        count += 1
    else:
        raise InputError(
            f"{name} has {count} frames, none of which is {f'number {frame}' if frame is not None else 'in time'}"
        )
    if not span[0] <= one.t <= span[1]:
        raise InputError(
            f"frame {count} of {name} is at {one.t:g} s, outside of the range of time {span[0]:g} to {span[1]:g} s"
        )
    return count


def _span(time: Any) -> tuple[float, float]:
    if time is None:
        return -np.inf, np.inf
    try:
        low, high = (float(value) for value in time)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not low < high:
        raise InputError(f"time must be the first and the last time in seconds, such as (2, 10), not {time!r}")
    return low, high


def _limits(source: Source, region: Any) -> Box:
    if region is None:
        return 0, 0, source.width, source.height
    try:
        x, y, width, height = (float(value) for value in region)
    except (TypeError, ValueError):
        x = y = width = height = -1.0
    left, top = max(0, round(x)), max(0, round(y))
    right, bottom = min(source.width, round(x + width)), min(source.height, round(y + height))
    if not (width > 0 and height > 0 and right > left and bottom > top):
        raise InputError(
            f"region must be a box (x, y, width, height) within the frames of {source.width} x {source.height} pixels, "
            f"not {region!r}"
        )
    return left, top, right, bottom
