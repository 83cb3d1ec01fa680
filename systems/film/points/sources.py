"""Films in any form as frames: a file, a folder or a list of pictures, or an array."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from systems.errors import AccuracyWarning, InputError, outside
from systems.film.opencv import cv2
from systems.film.tracking.decode import LARGEST_FRAME, SMALLEST_SIDE, FilmReader, Frame, open_film
from systems.scalars import real

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
BLOCK = 256e6  # bytes of frames that are kept at once to read a film backwards


class Source(Protocol):
    """What has a size, and frames that can be read from the start any number of times."""

    width: int
    height: int
    rotation: int

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time."""

    def shown(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the same frames in red, green and blue, ``(H, W, 3)``."""


class Pictures:
    """A sequence of pictures at given times.

    Parameters
    ----------
    count
        Number of pictures.
    picture
        Function that returns a picture by its number: ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` in red, green and blue.
    t : shape ``(count,)``
        Times [s].

    Raises
    ------
    InputError
        If the pictures are too small or too large.
    """

    rotation = 0

    def __init__(self, count: int, picture: Callable[[int], NDArray[Any]], t: NDArray[np.float64]) -> None:
        self.count, self.picture, self.t = count, picture, t
        self.height, self.width = picture(0).shape[:2]
        if min(self.width, self.height) < SMALLEST_SIDE or self.width * self.height > LARGEST_FRAME:
            raise InputError(
                f"pictures of {self.width} x {self.height} pixels cannot be tracked; give pictures of {SMALLEST_SIDE} pixels "
                "each way to 100 million in all"
            )

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures as frames."""
        for k in range(self.count):
            picture = self.picture(k)
            if picture.shape[:2] != (self.height, self.width):
                raise InputError(
                    f"picture {k} has {picture.shape[1]} x {picture.shape[0]} pixels, not {self.width} x {self.height} as the "
                    "first one; give pictures of one size"
                )
            yield frame_of(float(self.t[k]), picture)

    def shown(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures in red, green and blue, ``(H, W, 3)``."""
        for k in range(self.count):
            picture = _bytes(float(self.t[k]), self.picture(k))
            yield np.dstack([picture] * 3) if picture.ndim == 2 else picture[..., :3]


def frame_of(t: float, picture: NDArray[Any]) -> Frame:
    """Return a picture as a frame.

    Parameters
    ----------
    t
        Time [s].
    picture : shape ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``
        Grey levels, or red, green and blue: bytes, 16-bit numbers, floating-point numbers from 0 to 1, or True for white.
    """
    picture = _bytes(t, picture)
    height, width = picture.shape[:2]
    half = (height + 1) // 2, (width + 1) // 2
    if picture.ndim == 2:
        grey = np.full(half, 128, np.uint8)
        return Frame(t, np.ascontiguousarray(picture), grey, grey)
    whole = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2YUV)
    even = cv2.copyMakeBorder(whole, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    small = cv2.resize(even, half[::-1], interpolation=cv2.INTER_AREA)
    y, u, v = (np.asarray(plane, np.uint8) for plane in (cv2.extractChannel(whole, 0), *cv2.split(small)[1:]))
    return Frame(t, y, u, v)


def _bytes(t: float, picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture with levels from 0 to 255; the time is that in the message if it has none."""
    if picture.dtype.kind == "f" and not np.isfinite(picture).all():
        raise InputError(f"the picture at {t:g} s has values that are not finite; give levels from 0 to 1, or bytes")
    if picture.dtype.kind == "b":
        return 255 * picture.astype(np.uint8)
    if picture.dtype == np.uint8:
        return picture
    largest = np.iinfo(picture.dtype).max if picture.dtype.kind in "ui" else 1.0
    return np.clip(np.rint(picture * (255 / largest)), 0, 255).astype(np.uint8)


def source_of(film: Any, t: ArrayLike | None, fps: float | None) -> tuple[Source, str]:
    """Return the frames of a film in any form, and its name.

    Parameters
    ----------
    film
        Path of a film or of a folder of pictures, a list of pictures' paths, or an array ``(F, H, W)`` or ``(F, H, W, 3)``.
    t, fps
        Times of pictures that have none of their own [s], or their rate [1/s].

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    InputError
        If the film is of no such form, or pictures have no times.
    """
    if isinstance(film, str | os.PathLike):
        path = Path(film)
        if not path.is_dir():
            if t is not None or fps is not None:
                raise InputError(f"{path} has time stamps of its own; leave t and fps out")
            reader = FilmReader(path)
            _warn_of_oblong_pixels(path)
            return reader, path.name
        files: Sequence[Any] = sorted((file for file in path.iterdir() if file.suffix.lower() in PICTURES), key=_in_order)
        if not files:
            raise InputError(f"the folder {path} contains no pictures; give one with files such as 0001.png")
        return _files(files, t, fps), path.name
    if isinstance(film, Sequence) and film and all(isinstance(one, str | os.PathLike) for one in film):
        return _files([Path(one) for one in film], t, fps), Path(film[0]).parent.name
    try:
        stack = np.asarray(film)
    except ValueError:
        stack = np.empty(0)
    if (
        stack.ndim not in (3, 4)
        or not len(stack)
        or stack.dtype.kind not in "uifb"
        or (stack.ndim == 4 and stack.shape[3] < 3)
    ):
        raise InputError(
            f"a film must be a path, a list of pictures, or an array (F, H, W) or (F, H, W, 3), not {type(film).__name__} of "
            f"shape {stack.shape}"
        )
    return Pictures(len(stack), lambda k: np.asarray(stack[k]), _times(len(stack), t, fps)), "pictures"


def backwards(source: Source, stop: int) -> Iterator[Frame]:
    """Yield the frames before number ``stop``, the last one first.

    The film is decoded again for each block of frames that fits into the memory.

    Parameters
    ----------
    source
        The film.
    stop
        Number of the frame at which to begin, which is not included.
    """
    size = max(1, int(BLOCK / (1.5 * source.width * source.height)))
    while stop > 0:
        start = max(0, stop - size)
        block = [kept(frame) for frame in islice(source.frames(), start, stop)]
        yield from reversed(block)
        stop = start


def _warn_of_oblong_pixels(path: Path) -> None:
    with open_film(path) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
    if aspect and aspect != 1:
        warnings.warn(
            f"the pixels of {path.name} are {float(aspect):.4g} times as wide as they are high, so that lengths across and "
            "angles are wrong by this factor; convert the film to square pixels",
            AccuracyWarning,
            stacklevel=outside(),
        )


def kept(frame: Frame) -> Frame:
    """Return a copy of a frame, whose arrays are otherwise overwritten by the next ones."""
    return Frame(frame.t, frame.y.copy(), frame.u.copy(), frame.v.copy())


def _files(files: Sequence[Path], t: ArrayLike | None, fps: float | None) -> Pictures:
    def read(k: int) -> NDArray[Any]:
        if not files[k].is_file():
            raise FileNotFoundError(f"there is no picture {files[k]}")
        picture = cv2.imread(str(files[k]), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputError(f"{files[k]} is not a picture that can be read; convert it to PNG")
        return picture[..., ::-1]

    return Pictures(len(files), read, _times(len(files), t, fps))


def _times(count: int, t: ArrayLike | None, fps: float | None) -> NDArray[np.float64]:
    if (t is None) == (fps is None):
        raise InputError("pictures have no times of their own; give either their times t or their rate fps")
    if t is None:
        if real("fps", fps) <= 0:
            raise InputError(f"fps must be positive, not {fps}")
        return np.arange(count) / float(fps or 1)
    times = np.asarray(t, dtype=np.float64)
    if times.shape != (count,) or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise InputError(f"t must be {count} increasing times, one for each picture, not an array of shape {times.shape}")
    return times


def _in_order(path: Path) -> list[tuple[int, str]]:
    """Return a key by which picture2 comes before picture10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name)]
