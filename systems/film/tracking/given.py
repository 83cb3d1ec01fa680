"""Markers that a user gives by their pixels in the first frame: they are followed wherever they go, and paired afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from systems.errors import InputError
from systems.film.opencv import cv2
from systems.film.points import follow
from systems.film.points.sources import kept
from systems.film.points.spot import SMALLEST, Spot, spot_at
from systems.film.tracking.arrays import Floats, Points
from systems.film.tracking.backdrop import Backdrop
from systems.film.tracking.candidates import is_named
from systems.film.tracking.decode import FilmReader, Frame
from systems.film.tracking.follower import Follower, Follows
from systems.film.tracking.foreground import CLEAR, foreground_at
from systems.film.tracking.markers import Blob, Paint, window
from systems.film.tracking.patches import coloured_patches
from systems.film.tracking.sample import SPAN, Sample

STILL = 0.5  # pixels of the small picture: a camera that moves less stands still, so that there is a backdrop
REACH = 0.12  # of the picture's longer side: how far from where it was seen what hides the background may be after it was lost
MOST = 4  # places of each kind in the first frame that may be markers
COLOURFUL = 10.0  # grey levels of `Paint.colourful` from which a spot has a colour of its own
SEEN = 0.5  # of the frames in which a marker must be seen
WORST = 20.0  # pixels: the roughness of a path where the marker is lost
FINEST = 0.3  # pixels: paths that are less rough are equally smooth
MOVES = 1.0  # pixels: a smaller motion may be that of the light on a marker
RIGID = 0.1  # of the motion of the lower end: how much the distance of two ends of one rod may vary
INNER = 0.8  # of the motion of the lower end: how much the upper end may move


@dataclass
class Given:
    """A marker that is followed as `systems.film.track_points` follows it, wherever it goes.

    Attributes
    ----------
    spot
        Its appearance.
    course
        Its course so far.
    """

    spot: Spot
    course: follow.Follower

    @property
    def radius(self) -> float:
        """Its radius [pixels]."""
        return self.spot.radius

    @property
    def paint(self) -> Paint:
        """Its colour."""
        return self.spot.paint

    def look(self, frame: Frame, shift: tuple[float, float]) -> Blob | None:
        """Find the marker in a frame; None where it is not surely seen."""
        del shift
        (sight,) = follow.look_for([self.course], frame)
        if sight is None:
            return None
        side = round(2 * self.radius)
        box = round(sight.x) - side // 2, round(sight.y) - side // 2, side, side
        return Blob(sight.x, sight.y, sight.size * np.pi * self.radius**2, box, sight.spread)


@dataclass
class Fixed:
    """A place that only the camera moves, such as a pivot that nothing distinguishes from what is around it.

    Attributes
    ----------
    place
        x and y where it is in the first frame [pixels].
    radius
        Radius of what is there [pixels].
    paint
        None: its colour is not known.
    """

    place: tuple[float, float]
    radius: float = 1.0
    paint: None = None

    def look(self, frame: Frame, shift: tuple[float, float]) -> Blob | None:
        """Return the place in a frame that the camera has shifted."""
        del frame
        x, y = self.place[0] + shift[0], self.place[1] + shift[1]
        return Blob(x, y, 1.0, (round(x), round(y), 1, 1))


def followers_of(
    film: FilmReader, sample: Sample, points: Sequence[tuple[float, float]], pointed: bool
) -> list[list[Follows]]:
    """Return for each point the ways to follow what is there: by its colour, by what it hides of a still background, or not.

    Parameters
    ----------
    film
        The film.
    sample
        The start of the film.
    points
        Points (x, y) on the markers in the first frame [pixels of the film].
    pointed
        Whether a user gave the points, rather than `starts_of`.

    Returns
    -------
    list of list of Follows
        Up to three followers per point; the last one is `Fixed`, as if the point stood still.

    Raises
    ------
    InputError
        If a point is outside of the frame, or none shows a marker.
    """
    first = kept(next(islice(film.frames(), 1)))
    height, width = first.y.shape
    backdrop = Backdrop.of(film, SPAN) if np.abs(sample.shift).max() < STILL else None
    ways: list[list[Follows]] = []
    for point in points:
        x, y = point
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise InputError(f"the marker at {point} is outside of the film's frames; give a pixel of the first frame")
        spot, hides = spot_at(first, point), None if backdrop is None else foreground_at(first, point, backdrop)
        if spot is not None and hides is not None:
            # a spot without a colour of its own may be a gleam, which wanders over a bob, unless a user points at it
            meant = spot.covers(first, point) and (pointed or spot.paint.colourful > COLOURFUL)
            spot = spot if meant else None
        way: list[Follows] = []
        if spot is not None:
            way.append(Given(spot, follow.Follower(spot, point, (0, 0, width, height), first)))
        if hides is not None:
            way.append(Follower.of_foreground(hides, REACH * max(width, height)))
        ways.append([*way, Fixed(point)])
    if points and all(len(way) == 1 for way in ways):
        raise InputError(
            f"no marker is visible at {', '.join(map(str, points))} in the first frame, where nothing has a colour of its own "
            "or moves; give a pixel in the middle of a marker"
        )
    return ways


def starts_of(film: FilmReader, sample: Sample, named: Sequence[str] | None = None) -> list[tuple[float, float]]:
    """Return places in the first frame where a marker may be: coloured patches, and what is in front of a still background.

    Parameters
    ----------
    film
        The film.
    sample
        The start of the film.
    named : optional
        Names of the markers' colours, by default any.

    Returns
    -------
    list of (float, float)
        Points (x, y) [pixels of the film].
    """
    picture = sample.pictures[0]
    patches = [patch for patch in coloured_patches(picture) if is_named(picture, patch, named)][:MOST]
    points = [sample.to_film(np.array(patch.centre)) for patch in patches]
    if named is None and np.abs(sample.shift).max() < STILL:
        first = next(islice(film.frames(), 1))
        height, width = first.y.shape
        difference = Backdrop.of(film, SPAN).difference(window(first, 0, 0, width, height)[0], 0, 0)
        _, labels, stats, centres = cv2.connectedComponentsWithStats((difference > 2 * CLEAR).astype(np.uint8), connectivity=8)
        total = np.bincount(labels.ravel(), difference.ravel(), len(stats))
        total[0] = 0
        # the middle of an arc or a ring is not on it
        for k in np.argsort(-total)[:MOST]:
            if stats[k][cv2.CC_STAT_AREA] >= SMALLEST and total[k] > 0:
                rows, columns = np.nonzero(labels == k)
                nearest = np.argmin(np.hypot(columns - centres[k][0], rows - centres[k][1]))
                points.append(np.array([columns[nearest], rows[nearest]], float))
    return [(float(x), float(y)) for x, y in points]


def likeliest_first(paths: Sequence[Points], pairs: Sequence[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Return pairs and single markers in the order in which they look like pendulums: those that move far and smoothly first.

    Parameters
    ----------
    paths
        Places ``(T,)`` of each marker as ``x + i y`` [pixels]; NaN where not seen.
    pairs
        Numbers of the lower and of the upper ends.
    """
    return sorted(pairs, key=lambda pair: -_motion(paths[pair[0]]) / (_roughness(paths[pair[0]]) + FINEST))


def best(paths: Sequence[Points]) -> int:
    """Return by which of several paths a marker was followed best: the smoothest, where a long jump is worse than a gap.

    After a jump, something else may be followed, and something that moves less is smoother.

    Parameters
    ----------
    paths
        Places ``(T,)`` as ``x + i y`` [pixels]; NaN where not seen. The last path, which stands still, is taken if all others
        jump about or are seen in less than half of the frames.
    """
    rough = [_roughness(path) for path in paths]
    seen = [k for k, path in enumerate(paths[:-1]) if np.isfinite(path).mean() > SEEN and rough[k] < WORST / 2]
    return min(seen, key=lambda k: _roughness(paths[k], np.inf), default=len(paths) - 1)


def paired(paths: Sequence[Points]) -> list[tuple[int, int | None]]:
    """Pair markers that are the two ends of one pendulum: their distance is constant, and the lower end moves farther.

    Parameters
    ----------
    paths
        Places ``(T,)`` of each marker as ``x + i y``, without the camera's motion [pixels]; NaN where not seen.

    Returns
    -------
    list of (int, int or None)
        Numbers of the lower and of the upper end of each pendulum.

    Raises
    ------
    InputError
        If no marker moves.
    """
    motion = np.array([_motion(path) for path in paths])
    offers: list[tuple[float, int, int]] = []
    for low, path in enumerate(paths):
        for up, other in enumerate(paths):
            length = np.abs(path - other)
            if low != up and np.isfinite(length).sum() > 2 and motion[up] < INNER * motion[low]:
                offers.append((float(np.nanpercentile(np.abs(length - np.nanmedian(length)), 90) / motion[low]), low, up))
    pairs: list[tuple[int, int | None]] = []
    used: set[int] = set()
    for wander, low, up in sorted(offers):
        if wander < RIGID and not {low, up} & used:
            pairs.append((low, up))
            used |= {low, up}
    pairs += [(k, None) for k in range(len(paths)) if k not in used]
    pairs = [(low, up) for low, up in pairs if motion[low] > MOVES]
    if not pairs:
        raise InputError("none of the given markers moves; give the moving end of each pendulum, in the first frame")
    return pairs


def _roughness(path: Points, most: float = WORST) -> float:
    """Return the mean third difference of a path [pixels], where a gap counts as WORST, and no jump as more than the most."""
    return float(np.mean(np.minimum(np.nan_to_num(np.abs(np.diff(path, 3)), nan=WORST), most)))


def _motion(path: Points) -> float:
    """Return how far apart the places of a marker are, without the farthest, which may be mistaken [pixels]."""
    seen: Floats = np.stack([path.real, path.imag])[:, np.isfinite(path)]
    if seen.shape[1] < 2:
        return 0.0
    low, high = np.percentile(seen, [1, 99], axis=1)
    return float(np.hypot(*(high - low)))
