"""Finding by itself what swings in a film, and what it hangs from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.pendulum_clock.tracking.markers import Blob, Floats, Mask, Paint, blobs
from systems.pendulum_clock.tracking.noise import noise_of
from systems.pendulum_clock.tracking.patches import HUES, SMALLEST, Patch, coloured_patches, shaded_patches
from systems.pendulum_clock.tracking.rates import alikeness
from systems.pendulum_clock.tracking.sample import Sample
from systems.pendulum_clock.tracking.swing import Swing, swing_of

LOOKS = 5  # pictures that are searched for what moves: a marker hidden in some is seen in others
MOST_MOVING, MOST_STILL = 12, 40  # patches followed of each picture, the likeliest first; a cluttered wall has more
ALIKE = 16.0  # grey levels of colour between patches of one thing, from its light to its dark side
JUMP = 0.12  # of the picture's length, from one picture to the next: a swing across all of it in half a second
CURVATURE = 0.3  # by which part a path's may differ from that about its pivot, for the lens and the view bend it too
LIKELY = 0.04  # below it a patch does not look like a marker at all
COHERENT = 0.9  # part of the motion that one period and its harmonic explain
PRESENT = 0.6  # part of the pictures in which a marker must be seen
OFF_AXIS = 0.1  # radians between the rod and the middle of the swing; a swing's middle is good to a tenth of its amplitude


@dataclass(frozen=True)
class Candidate:
    """A patch followed through the sample: where it is [pixel of the film] in each picture, NaN where it is not seen."""

    paint: Paint
    track: Floats
    mass: float
    radius: float
    likeness: float
    coloured: bool
    swing: Swing
    moves: bool


@dataclass(frozen=True)
class Found:
    """A pendulum: its moving end, and its other end where there is one to be seen."""

    lower: Candidate
    upper: Candidate | None


def discover(
    sample: Sample, named: Sequence[str] | None = None, pixels: Sequence[tuple[float, float]] | None = None
) -> list[Found]:
    """The pendulums in a sample.

    named: colours to choose from. pixels: points of the first picture, in pixels of the film, that lie on the markers.
    Raises InputError where nothing swings, or a pixel shows no marker.
    """
    if pixels is not None:
        given = [_given(sample, point) for point in pixels]
        pendulums = pair(sample, given, strict=False)
        if not pendulums:
            raise InputError("none of the markers given swings; give the moving end of each pendulum, in the first frame")
        return pendulums
    candidates = list(_candidates(sample, coloured=True, named=named))
    pendulums = pair(sample, candidates)
    if not pendulums and named is None:
        candidates += _candidates(sample, coloured=False)
        pendulums = pair(sample, candidates)
    if not pendulums:
        what = f"marker that is {' or '.join(named)}" if named else "marker"
        raise InputError(
            f"no {what} swings in the film's first {sample.t[-1] - sample.t[0]:.1f} s, at least 1.5 periods being needed; "
            "name the markers' colours, or give their pixels in the first frame"
        )
    return pendulums


def _candidates(sample: Sample, coloured: bool, named: Sequence[str] | None = None) -> list[Candidate]:
    patches_of = coloured_patches if coloured else shaded_patches
    moving, middle = _stillness(sample)
    regions = cv2.connectedComponentsWithStats(moving.astype(np.uint8), connectivity=8)
    found: list[Candidate] = []
    for k in np.unique(np.linspace(0, len(sample.t) - 1, LOOKS).round().astype(int)):
        picture = sample.pictures[k]
        patches = [patch for patch in patches_of(picture) if (moving & patch.mask).any() and _is_named(picture, patch, named)]
        for patch in [patch for patch in patches if patch.likeness > LIKELY][:MOST_MOVING]:
            if any(_same(sample, candidate, patch, int(k)) for candidate in found):
                continue
            box = _region(regions, patch)
            candidate = _follow(sample, picture, patch, int(k), box)
            if candidate is not None and candidate.moves:
                found.append(candidate)
    still = [patch for patch in patches_of(middle) if _is_named(middle, patch, named)] if coloured else []
    for patch in [patch for patch in still if patch.likeness > LIKELY][:MOST_STILL]:
        x, y, w, h = patch.box
        margin = 3 + max(w, h) // 2
        box = x - margin, y - margin, x + w + margin, y + h + margin
        candidate = _follow(sample, middle, patch, None, box)
        if candidate is not None and not any(_twins(candidate, other) for other in found):
            found.append(candidate)
    return found


def _given(sample: Sample, point: tuple[float, float]) -> Candidate:
    """The patch of the first picture that a point given by the user lies on, or at least that looks like it."""
    picture = sample.pictures[0]
    height, width = picture.shape[:2]
    at = (np.asarray(point, float) + 0.5) / sample.scale - 0.5
    x, y = (int(v) for v in at.round())
    if not (0 <= x < width and 0 <= y < height):
        raise InputError(f"the marker at {tuple(point)} is outside of the film's frames")
    around = [patch for patch in [*coloured_patches(picture), *shaded_patches(picture)] if _holds(patch, at)]
    around.sort(key=lambda patch: patch.likeness, reverse=True)
    if not around:
        spot = picture[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].reshape(-1, 3).astype(float)
        unlike = np.abs(picture.astype(float) - np.median(spot, axis=0)) @ np.array([0.3, 1, 1])
        labels = cv2.connectedComponents((unlike < 25).astype(np.uint8))[1]
        mask = (labels == labels[y, x]) & (labels > 0)
        if not SMALLEST <= mask.sum() <= 0.1 * mask.size:
            raise InputError(
                f"no marker is to be seen at {tuple(point)} in the first frame: nothing there has a colour of its own"
            )
        rows, columns = np.nonzero(mask)
        box = int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
        around = [Patch(mask, box, (float(columns.mean()), float(rows.mean())), 1.0, True)]
    moving, _ = _stillness(sample)
    parts = cv2.connectedComponentsWithStats(moving.astype(np.uint8), connectivity=8)
    # the likeliest may be but the middle of a small marker, which no other frame shows by itself
    followed = (_follow(sample, picture, patch, 0, _region(parts, patch)) for patch in around)
    candidate = next((found for found in followed if found is not None), None)
    if candidate is None:
        raise InputError(f"the marker at {tuple(point)} in the first frame is mostly not seen later")
    return candidate


def _holds(patch: Patch, at: Floats) -> bool:
    x, y, w, h = patch.box
    return bool(x - 1 <= at[0] <= x + w and y - 1 <= at[1] <= y + h)


def _stillness(sample: Sample) -> tuple[Mask, NDArray[np.uint8]]:
    """Where the pictures change, and what is there most of the time, the camera's shake removed."""
    chosen = np.unique(np.linspace(0, len(sample.t) - 1, 61).round().astype(int))
    stack = sample.pictures[chosen]
    if np.abs(sample.shift).max() > 0.5:
        size = stack.shape[2], stack.shape[1]
        moved = [
            cv2.warpAffine(image, np.array([[1, 0, -dx], [0, 1, -dy]], np.float32), size, borderMode=cv2.BORDER_REPLICATE)
            for image, (dx, dy) in zip(stack, sample.shift[chosen], strict=True)
        ]
        stack = np.stack(moved)
    change = stack.std(axis=0, dtype=np.float32) @ np.array([0.5, 1, 1], np.float32)
    change = cv2.GaussianBlur(change, (3, 3), 0)
    usual = float(np.median(change))
    moving = change > usual + 6 * noise_of(np.abs(change - usual)) + 1
    return cv2.dilate(moving.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool), np.median(stack, axis=0).astype(
        np.uint8
    )


def _region(regions, patch: Patch) -> tuple[int, int, int, int]:  # type: ignore[no-untyped-def]
    """The box (left, top, right, bottom) of the changing parts of the picture that a patch lies in."""
    _, labels, stats, _ = regions
    x, y, w, h = patch.box
    left, top, right, bottom = x, y, x + w, y + h
    for k in np.unique(labels[patch.mask]):
        if k:
            left, top = min(left, stats[k][0]), min(top, stats[k][1])
            right, bottom = max(right, stats[k][0] + stats[k][2]), max(bottom, stats[k][1] + stats[k][3])
    margin = max(w, h)
    return int(left) - margin, int(top) - margin, int(right) + margin, int(bottom) + margin


def _is_named(picture: NDArray[np.uint8], patch: Patch, named: Sequence[str] | None) -> bool:
    if named is None:
        return True
    u, v = np.median(picture[patch.mask][:, 1:].astype(float) - 128, axis=0)
    hue = np.degrees(np.arctan2(u, v))  # from red towards blue
    return any(hue_is(name, hue) for name in named)


def hue_is(name: str, angle: float) -> bool:
    """Whether an angle of colour, that of (v, u) in degrees, goes by a name."""
    low, high = HUES[name]
    return (angle - low) % 360 <= high - low


def paint_of(picture: NDArray[np.uint8], mask: Mask) -> Paint:
    """The colour of the pixels of a mask, against a ring around them."""
    bytes_ = mask.astype(np.uint8)
    core = cv2.erode(bytes_, np.ones((3, 3), np.uint8)).astype(bool)
    core = core if core.sum() >= 4 else mask
    width = max(2, round(float(np.sqrt(mask.sum())) / 3))
    near = cv2.dilate(bytes_, np.ones((3, 3), np.uint8), iterations=2)
    ring = cv2.dilate(near, np.ones((3, 3), np.uint8), iterations=width).astype(bool) & ~near.astype(bool)
    return Paint.between(picture[core].astype(float), picture[ring].astype(float))


def _follow(
    sample: Sample, picture: NDArray[np.uint8], patch: Patch, start: int | None, box: tuple[int, int, int, int]
) -> Candidate | None:
    """A patch of one picture through all of them, within a box; None where it is mostly not seen."""
    x, y, w, h = patch.box
    reach = max(w, h) + 8
    left, top = max(0, x - reach), max(0, y - reach)
    part = slice(top, y + h + reach), slice(left, x + w + reach)
    paint = paint_of(picture[part], patch.mask[part])
    n, (height, width) = len(sample.t), sample.pictures.shape[1:3]
    track, masses = np.full((n, 2), np.nan), np.full(n, np.nan)
    area = float(patch.area)

    def look(k: int, last: Floats) -> Blob | None:
        dx, dy = sample.shift[k].round().astype(int) if start is None else (0, 0)
        a, b = max(0, box[0] + dx), max(0, box[1] + dy)
        view = sample.pictures[k, b : max(0, min(height, box[3] + dy)), a : max(0, min(width, box[2] + dx))]
        if view.size == 0:
            return None
        seen = blobs(paint.amount(np.ascontiguousarray(view, dtype=np.float32)), 0.3 * area)
        if not seen:
            return None
        size = np.sqrt(area)

        def far(blob: Blob) -> float:
            distance = float(np.hypot(a + blob.x - last[0], b + blob.y - last[1]))
            # a thing nearby must not keep what follows it for ever: size counts more than any distance
            return min(distance / (3 * size), 1.5) + 3 * abs(float(np.log(blob.mass / area)))

        best = min(seen, key=far)
        best = replace(best, x=a + best.x, y=b + best.y)
        jump = float(np.hypot(best.x - last[0], best.y - last[1]))
        return best if best.mass < 3 * area and jump < max(4 * size, JUMP * max(height, width)) else None

    for order in (range(start or 0, n), range((start or 0) - 1, -1, -1)):
        last = np.array(patch.centre)
        for tries, k in enumerate(order):
            if tries == 16 and np.isfinite(masses).sum() < 0.5 * tries:
                return None
            blob = look(k, last)
            if blob is not None:
                track[k], masses[k] = (blob.x, blob.y), blob.mass
                last = track[k]
    seen = np.isfinite(masses)
    if seen.mean() < PRESENT:
        return None
    points = sample.to_film(track)
    swing, own = swing_of(sample.t, points - sample.shift * sample.scale)
    points = np.where(own[:, None], points, np.nan)
    mass = float(np.median(masses[seen]))
    moves = swing.coherence > COHERENT and swing.size > max(0.7, 12 * (swing.noise - 0.5))
    return Candidate(
        paint=paint,
        track=points,
        mass=mass * float(sample.scale.prod()),
        radius=float(np.sqrt(max(area, mass) * sample.scale.prod() / np.pi)),
        likeness=patch.likeness * float(seen.mean()),
        coloured=patch.coloured,
        swing=swing,
        moves=moves,
    )


def _same(sample: Sample, candidate: Candidate, patch: Patch, k: int) -> bool:
    """Whether a patch of a picture is what a candidate is at there: near its centre, and of its colour."""
    where = candidate.track[k]
    if not np.isfinite(where).all():
        return False
    size = float(np.sqrt(patch.area * sample.scale.prod() / np.pi))
    near = np.hypot(*(sample.to_film(np.array(patch.centre)) - where)) < 0.7 * max(size, candidate.radius)
    colour = np.median(sample.pictures[k][patch.mask].astype(float), axis=0)
    return bool(near and np.abs(colour - candidate.paint.inside)[1:].max() < ALIKE)


def _twins(a: Candidate, b: Candidate) -> bool:
    """Whether two candidates are at the same place all of the time."""
    apart = np.hypot(*(a.track - b.track).T)
    with np.errstate(invalid="ignore"):
        return bool(np.nanmean(apart < 0.5 * (a.radius + b.radius)) > 0.7) and 0.5 < a.mass / b.mass < 2


def pair(sample: Sample, candidates: list[Candidate], strict: bool = True) -> list[Found]:
    """Which candidates are the two ends of one pendulum: their distance is constant, along the middle of the swing.

    Where any pendulum has two ends to be seen, those with one only are left out: they are parts of it, or clutter.
    """
    moving = sorted((c for c in candidates if c.moves), key=lambda c: -c.swing.size)
    groups: list[list[Candidate]] = []
    for candidate in moving:
        for group in groups:
            if any(_one_body(sample, candidate, other) for other in group):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    offers: list[tuple[float, int, Candidate, Candidate | None]] = []
    for index, group in enumerate(groups):
        largest = max(c.swing.size for c in group)
        ends = [c for c in group if c.swing.size > 0.6 * largest]
        for lower in ends:
            grade = lower.likeness / (lower.swing.noise + 0.3)
            offers.append((grade * 1e-6, index, lower, None))
            for upper in candidates:
                belongs = not upper.moves or any(upper is member for member in group)
                if belongs and upper is not lower and upper.swing.size < 0.7 * lower.swing.size:
                    merit = _rigid(sample, lower, upper, strict)
                    if merit > 0:
                        offers.append((merit * lower.likeness, index, lower, upper))
    chosen: dict[int, Found] = {}
    used: set[int] = set()
    for _, index, lower, fixed in sorted(offers, key=lambda offer: -offer[0]):
        if index not in chosen and id(lower) not in used and id(fixed) not in used:
            chosen[index] = Found(lower, fixed)
            used |= {id(lower), id(fixed)} - {id(None)}
    found = list(chosen.values())
    found = [pendulum for pendulum in found if pendulum.upper is not None] or found
    likely = max((pendulum.lower.likeness for pendulum in found), default=0.0)
    return [pendulum for pendulum in found if pendulum.lower.likeness > 0.3 * likely]


def _one_body(sample: Sample, a: Candidate, b: Candidate) -> bool:
    """Whether two moving candidates belong to one pendulum: in step, and one behind the other along the rod."""
    if abs(a.swing.period - b.swing.period) > 0.1 * a.swing.period:
        return False
    apart = a.swing.centre - b.swing.centre
    size = max(a.radius, b.radius)
    distance = float(np.hypot(*apart))
    if distance < 1.5 * size:
        return True
    across = abs(float(apart @ a.swing.axis))
    turn = b.swing.amplitude / a.swing.amplitude
    return across < 0.25 * distance + 0.5 * size and abs(turn.imag) < 0.25 * abs(turn)


def _rigid(sample: Sample, lower: Candidate, upper: Candidate, strict: bool) -> float:
    """How likely a candidate is the other end of a pendulum, from 0."""
    apart = lower.swing.centre - upper.swing.centre
    distance = float(np.hypot(*apart))
    if distance < 1.5 * (lower.radius + upper.radius) or lower.swing.size > 1.2 * distance:
        return 0.0
    both = np.isfinite(lower.track).all(axis=1) & np.isfinite(upper.track).all(axis=1)
    if both.mean() < 0.5 * PRESENT:
        return 0.0
    length = np.hypot(*(lower.track - upper.track)[both].T)
    wander = noise_of(np.abs(length - np.median(length)))
    noise = float(np.hypot(lower.swing.noise, upper.swing.noise))
    if wander > max(1.0, min(3 * noise, 0.2 * lower.swing.size), 0.1 * lower.swing.size):
        return 0.0
    if strict and not upper.moves and not _arc_agrees(sample, lower, apart):
        return 0.0
    off = float(np.arcsin(min(1.0, abs(float(apart @ lower.swing.axis)) / distance)))
    doubt = OFF_AXIS + 0.1 * lower.swing.size / distance
    if off > (2 if strict else 6) * doubt:
        return 0.0
    merit = max(upper.likeness, 0.02) * np.exp(-((off / doubt) ** 2))
    merit *= min(upper.mass / lower.mass, lower.mass / upper.mass) ** 0.5
    return float(merit)


def _arc_agrees(sample: Sample, lower: Candidate, apart: Floats) -> bool:
    """Whether the path of the moving end may be curved about a point that stands still, as far as its curvature is known.

    It tells a pivot from what hangs on the wall behind the pendulum.
    """
    points = lower.track - sample.shift * sample.scale - lower.swing.centre
    points = points[np.isfinite(points).all(axis=1)]
    along = points @ lower.swing.axis
    toward = -apart - (-apart @ lower.swing.axis) * lower.swing.axis
    rise = points @ (toward / max(float(np.hypot(*toward)), 1e-9))
    columns = np.stack([np.ones_like(along), along, along**2 / 2], axis=1)
    fit = np.linalg.lstsq(columns, rise, rcond=None)[0]
    rest = rise - columns @ fit
    covariance = float(rest @ rest) / max(len(rest) - 3, 1) * alikeness(rest) * np.linalg.pinv(columns.T @ columns)
    expected = 1 / float(np.hypot(*apart))
    return bool(abs(fit[2] - expected) < CURVATURE * expected + 4 * np.sqrt(covariance[2, 2]))
