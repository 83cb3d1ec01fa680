"""Patches of colour or shade, followed through the start of a film: candidates for the ends of pendulums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from systems.film.opencv import cv2
from systems.film.tracking.arrays import Floats, Mask
from systems.film.tracking.hues import name_of
from systems.film.tracking.markers import Blob, Paint, blobs
from systems.film.tracking.noise import noise_of
from systems.film.tracking.patches import Patch, coloured_patches, shaded_patches
from systems.film.tracking.sample import Sample
from systems.film.tracking.swing import Swing, swing_of

LOOKS = 5  # pictures that are searched for moving patches: a marker that is hidden in some is seen in others
MOST_MOVING, MOST_STILL = 12, 40  # patches followed per picture, the likeliest first; a cluttered wall has more
ALIKE = 16.0  # grey levels of colour between patches of one thing, from its light side to its dark side
JUMP = 0.25  # of the picture's longer side, per picture: a swing across all of it in a quarter of a second
NEAR = 24.0  # pixels, in which a patch is searched for first
SURE = 0.4  # logarithm of the ratio of the areas, below which a patch is taken for the same at once
LIKELY = 0.04  # likeness below which a patch does not look like a marker at all
COHERENT = 0.9  # part of the motion that one period and its harmonic explain
PRESENT = 0.6  # part of the pictures in which a marker must be seen


@dataclass(frozen=True)
class Candidate:
    """A patch followed through the sample.

    Attributes
    ----------
    paint
        Its colour against its surroundings.
    track : shape ``(N, 2)``
        Its place in each picture [pixels of the film]; NaN where not seen.
    mass, radius : float
        Its area and its radius [pixels of the film].
    likeness : float
        How much it looks like a marker, from 0 to 1.
    coloured : bool
        Whether it was found by its colour rather than its brightness.
    swing
        Its oscillation.
    moves : bool
        Whether the oscillation stands out from the noise.
    """

    paint: Paint
    track: Floats
    mass: float
    radius: float
    likeness: float
    coloured: bool
    swing: Swing
    moves: bool


def find_candidates(sample: Sample, coloured: bool, named: Sequence[str] | None = None) -> list[Candidate]:
    """Find patches that swing, and coloured patches that stand still.

    Parameters
    ----------
    sample
        The start of a film.
    coloured
        Whether to search for colours; otherwise for patches brighter or darker than their surroundings.
    named : optional
        Names of the colours to choose from, by default all.

    Returns
    -------
    list of Candidate
        Patches that are seen most of the time.
    """
    patches_of = coloured_patches if coloured else shaded_patches
    moving, middle = _stillness(sample)
    regions = cv2.connectedComponentsWithStats(moving.astype(np.uint8), connectivity=8)
    found: list[Candidate] = []
    followed: list[Candidate] = []
    for k in np.unique(np.linspace(0, len(sample.t) - 1, LOOKS).round().astype(int)):
        picture = sample.pictures[k]
        patches = [patch for patch in patches_of(picture) if (moving & patch.mask).any() and is_named(picture, patch, named)]
        for patch in [patch for patch in patches if patch.likeness > LIKELY][:MOST_MOVING]:
            if any(_same(sample, candidate, patch, int(k)) for candidate in followed):
                continue
            box = _region(regions, patch)
            candidate = _follow(sample, picture, patch, int(k), box)
            if candidate is not None:
                followed.append(candidate)
            if candidate is not None and candidate.moves:
                found.append(candidate)
    still = [patch for patch in patches_of(middle) if is_named(middle, patch, named)] if coloured else []
    for patch in [patch for patch in still if patch.likeness > LIKELY][:MOST_STILL]:
        x, y, w, h = patch.box
        margin = 3 + max(w, h) // 2
        box = x - margin, y - margin, x + w + margin, y + h + margin
        candidate = _follow(sample, middle, patch, None, box)
        if candidate is not None and not any(_twins(candidate, other) for other in found):
            found.append(candidate)
    return found


def _stillness(sample: Sample) -> tuple[Mask, NDArray[np.uint8]]:
    """Return where the pictures change, and what they show most of the time, with the camera's shake removed."""
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
    usually = np.median(stack[::2], axis=0).astype(np.uint8)
    return cv2.dilate(moving.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool), usually


def _region(regions, patch: Patch) -> tuple[int, int, int, int]:  # type: ignore[no-untyped-def]
    """Return the box (left, top, right, bottom) of the changing parts of the picture that contain a patch."""
    _, labels, stats, _ = regions
    x, y, w, h = patch.box
    left, top, right, bottom = x, y, x + w, y + h
    for k in np.unique(labels[patch.mask]):
        if k:
            left, top = min(left, stats[k][0]), min(top, stats[k][1])
            right, bottom = max(right, stats[k][0] + stats[k][2]), max(bottom, stats[k][1] + stats[k][3])
    margin = max(w, h)
    return int(left) - margin, int(top) - margin, int(right) + margin, int(bottom) + margin


def is_named(picture: NDArray[np.uint8], patch: Patch, named: Sequence[str] | None) -> bool:
    """Return whether a patch of a picture ``(h, w, 3)`` has one of the named colours; any if there are none."""
    return named is None or name_of(*np.median(picture[patch.mask].astype(float), axis=0)) in named


def _follow(
    sample: Sample, picture: NDArray[np.uint8], patch: Patch, start: int | None, box: tuple[int, int, int, int]
) -> Candidate | None:
    """Follow a patch of one picture through all of them, within a box; return None if it is mostly not seen."""
    x, y, w, h = patch.box
    reach = max(w, h) + 8
    left, top = max(0, x - reach), max(0, y - reach)
    part = slice(top, y + h + reach), slice(left, x + w + reach)
    paint = Paint.of(picture[part], patch.mask[part])
    n, (height, width) = len(sample.t), sample.pictures.shape[1:3]
    track, masses = np.full((n, 2), np.nan), np.full(n, np.nan)
    area = float(patch.area)

    size = float(np.sqrt(area))
    farthest = max(4 * size, JUMP * max(height, width))
    shift = sample.shift.round().astype(int).tolist()

    def look(k: int, last: Floats) -> Blob | None:
        # most patches have hardly moved, so that a small part of the picture shows them
        part = part_within(k, last, max(3 * size, NEAR))
        near = best_of(k, last, part)
        sure = near is not None and abs(np.log(near.mass / area)) < SURE
        wide = part if sure else part_within(k, last, farthest)
        return near if wide == part else best_of(k, last, wide)

    def part_within(k: int, last: Floats, reach: float) -> tuple[int, int, int, int]:
        dx, dy = shift[k] if start is None else (0, 0)
        x, y = float(last[0]), float(last[1])
        left, top = max(0, box[0] + dx, int(x - reach)), max(0, box[1] + dy, int(y - reach))
        return left, top, min(width, box[2] + dx, int(x + reach) + 2), min(height, box[3] + dy, int(y + reach) + 2)

    def best_of(k: int, last: Floats, part: tuple[int, int, int, int]) -> Blob | None:
        a, b, right, bottom = part
        view = sample.pictures[k, b : max(0, bottom), a : max(0, right)]
        if view.size == 0:
            return None
        seen = blobs(paint.amount(np.ascontiguousarray(view, dtype=np.float32)), 0.3 * area, 3 * area)

        def far(blob: Blob) -> float:
            distance = float(np.hypot(a + blob.x - last[0], b + blob.y - last[1]))
            # a thing nearby must not capture the search for ever, so size counts more than any distance
            return min(distance / (3 * size), 1.5) + 3 * abs(float(np.log(blob.mass / area)))

        if not seen:
            return None
        best = min(seen, key=far)
        best = replace(best, x=a + best.x, y=b + best.y)
        jump = float(np.hypot(best.x - last[0], best.y - last[1]))
        return best if jump < farthest else None

    missed = 0
    for order in (range(start or 0, n), range((start or 0) - 1, -1, -1)):
        last = np.array(patch.centre)
        for tries, k in enumerate(order):
            if tries == 16 and np.isfinite(masses).sum() < 0.5 * tries:
                return None
            blob = look(k, last)
            if blob is not None:
                track[k], masses[k] = (blob.x, blob.y), blob.mass
                last = track[k]
                continue
            missed += 1
            if n - missed < PRESENT * n:
                return None
    seen = np.isfinite(masses)
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
    """Return whether a patch is what a candidate is at in that picture: near its centre, and of its colour."""
    where = candidate.track[k]
    if not np.isfinite(where).all():
        return False
    size = float(np.sqrt(patch.area * sample.scale.prod() / np.pi))
    near = np.hypot(*(sample.to_film(np.array(patch.centre)) - where)) < 0.7 * max(size, candidate.radius)
    if not candidate.moves:  # a shred of a marker may have been followed to the marker itself
        near &= 0.5 < size / candidate.radius < 2
    colour = np.median(sample.pictures[k][patch.mask].astype(float), axis=0)
    return bool(near and np.abs(colour - candidate.paint.inside)[1:].max() < ALIKE)


def _twins(a: Candidate, b: Candidate) -> bool:
    """Return whether two candidates are at the same place all of the time."""
    apart = np.hypot(*(a.track - b.track).T)
    with np.errstate(invalid="ignore"):
        return bool(np.nanmean(apart < 0.5 * (a.radius + b.radius)) > 0.7) and 0.5 < a.mass / b.mass < 2
