"""What to follow: markers at given points, of given colours, or like a given picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, degrees, hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError
from systems.film.opencv import cv2
from systems.film.points.looks import Box, Look
from systems.film.points.patch import Patch, patch_at
from systems.film.points.sources import frame_of
from systems.film.points.spot import spot_at
from systems.film.tracking.decode import Frame
from systems.film.tracking.hues import HUES
from systems.film.tracking.markers import window
from systems.film.tracking.patches import coloured_patches, shaded_patches

Start = tuple[Look, tuple[float, float]]  # a marker's appearance, and where it is

PLAIN = 15.0  # grey levels of colourfulness, below which a colour is a shade of grey
NARROW = 25.0  # degrees of hue by which a marker may differ from the colour that was given
SHADE = 60.0  # the same for the brightness of a grey marker [grey levels]
DOUBTFUL = 0.5  # part of the likeness of the last marker taken that the next one must not reach
SURE = 0.7  # correlation of a picture of the marker with the frame that is needed
PATCH = 40  # the part of the picture's shorter side that a patch around a point is wide, at least 17 pixels
SMOOTH = 1.5  # pixels over which a patch is averaged to tell structure from noise
VAGUE = 500.0  # squared grey levels per pixel, summed over a patch; noise of 4 grey levels gives about 100


def at_points(frame: Frame, points: Sequence[tuple[float, float]]) -> list[Start]:
    """Return the markers at points of a frame: spots of one colour, or else patches of texture.

    Raises InputError if a point is outside of the frame, or in a part of it without any structure.
    """
    height, width = frame.y.shape
    found: list[Start] = []
    for x, y in points:
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise InputError(f"the point ({x:g}, {y:g}) is outside of the frames of {width} x {height} pixels")
        spot = spot_at(frame, (x, y))
        if spot is not None:
            found.append((spot, (x, y)))
            continue
        found.append(patch_around(frame, (x, y)))
    return found


def patch_around(frame: Frame, point: tuple[float, float]) -> Start:
    """Return the marker at a point by the texture around it. Raises InputError if there is none."""
    side = max(17, min(frame.y.shape) // PATCH) | 1
    return _patch(frame, (point[0] - side / 2 + 0.5, point[1] - side / 2 + 0.5, side, side))


def like(frame: Frame, template: Any) -> list[Start]:
    """Return the markers in boxes (x, y, width, height) of a frame, or what is like a picture of the marker.

    Raises InputError if a box is no part of the frame, or the picture is not found, or found twice.
    """
    given = np.asarray(template, dtype=object if isinstance(template, list | tuple) else None)
    if given.shape == (4,) or (given.ndim == 2 and given.shape[1] == 4 and isinstance(template, list | tuple)):
        return [_patch(frame, _box(frame, box)) for box in given.reshape(-1, 4)]
    picture = np.asarray(template)
    if picture.ndim not in (2, 3) or picture.dtype.kind not in "uif" or min(picture.shape[:2]) < 5:
        raise InputError(
            "a template must be a box (x, y, width, height), a list of boxes, or a picture (h, w) or (h, w, 3) of 5 pixels or "
            f"more each way, not an array of shape {picture.shape}"
        )
    own = frame_of(0.0, picture)
    patch = Patch(window(own, 0, 0, own.y.shape[1], own.y.shape[0])[0])
    height, width = frame.y.shape
    seen = sorted(patch.find(frame, (0, 0, width, height), 0.0), key=lambda sight: -sight.likeness)
    if not seen or seen[0].likeness < SURE:
        raise InputError(
            f"the frame shows nothing like the template, whose best correlation is "
            f"{seen[0].likeness if seen else 0:.2f}; name another frame, or cut the template from the film itself"
        )
    if len(seen) > 1 and seen[1].likeness > 0.5 * (seen[0].likeness + SURE):
        places = " and ".join(f"({sight.x:.0f}, {sight.y:.0f})" for sight in seen[:2])
        raise InputError(f"the frame shows two things like the template, at {places}; give the box of one")
    return [(patch, (seen[0].x, seen[0].y))]


def of_colours(frame: Frame, colours: Sequence[Any], region: Box) -> list[Start]:
    """Return the markers of given colours, one per colour, in a part of a frame.

    Raises InputError if a colour is unknown, not seen, or shared by more things than markers.
    """
    rows, columns = frame.u.shape
    picture = np.dstack([cv2.resize(frame.y, (columns, rows), interpolation=cv2.INTER_AREA), frame.u, frame.v])
    patches = [*coloured_patches(picture), *shaded_patches(picture)]
    wanted = [_hue_range(colour) for colour in colours]
    found: dict[int, tuple[float, float]] = {}
    for colour in dict.fromkeys(wanted):
        scored = []
        for patch in patches:
            x, y = (2 * c + 0.5 for c in patch.centre)
            value = np.median(picture[patch.mask], axis=0).astype(float)
            if region[0] <= x < region[2] and region[1] <= y < region[3] and patch.coloured == (colour[0] == "hue"):
                scored.append((patch.likeness * _agreement(value, colour), x, y, 2.0 * max(patch.box[2:])))
        scored = _apart(sorted((one for one in scored if one[0] > 0.02), reverse=True))
        places = [k for k, one in enumerate(wanted) if one == colour]
        name = colours[places[0]]
        if len(scored) < len(places):
            raise InputError(
                f"the frame shows {len(scored)} markers of the colour {name}, not {len(places)}; give their points"
            )
        if len(scored) > len(places) and scored[len(places)][0] > DOUBTFUL * scored[len(places) - 1][0]:
            seen = ", ".join(f"({x:.0f}, {y:.0f})" for _, x, y, _ in scored[: len(places) + 1])
            raise InputError(
                f"the frame shows more things of the colour {name} than {len(places)}, such as those at {seen}; give points"
            )
        found |= {k: (x, y) for k, (_, x, y, _) in zip(places, scored, strict=False)}
    return at_points(frame, [found[k] for k in range(len(colours))])


def _apart(scored: list[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    """Return the best of those (likeness, x, y, size) that are parts of one thing."""
    kept: list[tuple[float, float, float, float]] = []
    for one in scored:
        if all(hypot(one[1] - x, one[2] - y) > max(size, one[3]) / 2 for _, x, y, size in kept):
            kept.append(one)
    return kept


def _patch(frame: Frame, box: tuple[float, float, float, float]) -> Start:
    patch = patch_at(frame, box)
    x, y = box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2
    smooth = cv2.GaussianBlur(patch.picture, (0, 0), SMOOTH).astype(np.float64)
    across, down = (np.gradient(smooth, axis=axis).reshape(-1) for axis in (1, 0))
    square = np.array([[across @ across, across @ down], [across @ down, down @ down]])
    if np.linalg.eigvalsh(square)[0] < VAGUE:
        raise InputError(
            f"nothing at ({x:.0f}, {y:.0f}) stands out from its surroundings, so that it cannot be followed; give a point on "
            "something with an edge all around, or another frame"
        )
    return patch, (x, y)


def _box(frame: Frame, given: Any) -> tuple[float, float, float, float]:
    height, width = frame.y.shape
    try:
        x, y, w, h = (float(value) for value in given)
    except (TypeError, ValueError):
        x = y = w = h = float("nan")
    if not (w >= 5 and h >= 5 and x >= 0 and y >= 0 and x + w <= width and y + h <= height):
        raise InputError(
            f"the box of a template must be (x, y, width, height), of 5 pixels or more each way, within the frames of "
            f"{width} x {height} pixels, not {tuple(given)}"
        )
    return x, y, w, h


Colour = tuple[str, float, float]  # ("hue", lowest, highest) in degrees, or ("shade", lowest, highest) in grey levels


def _hue_range(colour: Any) -> Colour:
    """Return the hues or the shades that a name or (red, green, blue) stands for."""
    if isinstance(colour, str):
        if colour in ("white", "black"):
            return ("shade", 170.0, 300.0) if colour == "white" else ("shade", -50.0, 75.0)
        if colour not in HUES:
            raise InputError(
                f"no colour is named {colour!r}; there are {', '.join(HUES)}, white and black, or (red, green, blue)"
            )
        low, high = HUES[colour]
        return "hue", float(low), float(high)
    rgb: NDArray[np.float64] = np.asarray(colour, dtype=np.float64).reshape(-1)
    if rgb.shape != (3,) or not ((rgb >= 0) & (rgb <= 255)).all():
        raise InputError(f"a colour must be a name or three numbers (red, green, blue) of 0 to 255, not {colour!r}")
    y = float(rgb @ (0.299, 0.587, 0.114))
    u, v = 0.492 * (rgb[2] - y), 0.877 * (rgb[0] - y)
    if hypot(u, v) < PLAIN:
        return "shade", y - SHADE, y + SHADE
    return "hue", degrees(atan2(v, u)) - NARROW, degrees(atan2(v, u)) + NARROW


def _agreement(value: NDArray[np.float64], colour: Colour) -> float:
    """Return 1 for a pixel (y, u, v) in the middle of a range of colours, falling to 0 at its ends."""
    kind, low, high = colour
    middle, half = (low + high) / 2, (high - low) / 2
    if kind == "shade":
        return max(0.0, 1 - ((float(value[0]) - middle) / half) ** 2)
    off = (degrees(atan2(value[2] - 128, value[1] - 128)) - middle + 180) % 360 - 180
    return max(0.0, 1 - (off / (half + 5)) ** 2)
