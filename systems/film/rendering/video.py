"""Write video files whose frames have time stamps of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from systems.ending import check_ending
from systems.errors import InputError
from systems.extras import require

TICKS = 60_000  # per second: whole numbers for 24, 25, 29.97, 30, 50 and 60 frames per second; MPEG-4 allows up to 65535


def target(path: str | os.PathLike[str]) -> Path:
    """Return the path if a film can be written there.

    Parameters
    ----------
    path
        File to write, which must end in .mp4.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    InputError
        If the file has another suffix, is a folder, or lies in a folder that is missing or read-only.
    """
    target = Path(path)
    check_ending(target, [".mp4"], "the name of a film")
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of a file for the film")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent} to write the film {target.name} to; make it first")
    if not os.access(target.parent, os.W_OK):
        raise InputError(
            f"the film {target.name} cannot be written to {target.parent}, which is read-only; choose another folder"
        )
    return target


@contextmanager
def encoder(
    path: Path,
    size: tuple[int, int],
    fps: float,
    compression: float,
    *,
    preset: str = "ultrafast",
    time_base: Fraction = Fraction(1, TICKS),
) -> Iterator[Callable[[NDArray[np.uint8], int], None]]:
    """Open an MP4 file, and yield a function that appends a picture at a time stamp.

    The codec is H.264, or MPEG-4 if PyAV comes without it. The yielded function takes a picture ``(height, width, 3)`` in
    red, green and blue, and its time stamp in units of ``time_base``; time stamps must increase.

    Parameters
    ----------
    path
        File to write.
    size
        Width and height [pixels], both even.
    fps
        Nominal frame rate [1/s].
    compression
        Quality on the scale of H.264, from 1 for hardly any loss to 51.
    preset : default "ultrafast"
        Preset of H.264, which trades time for the size of the file.
    time_base : default 1 / TICKS
        Unit of the time stamps [s].
    """
    av = require("av", "film", "writing films")
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    if codec == "libx264":  # at crf 0 it writes a profile that few programs play
        options = {"crf": f"{max(compression, 1):g}", "preset": preset}
    else:
        quantizer = str(round(1 + compression * 30 / 51))
        options = {"qmin": quantizer, "qmax": quantizer}
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = time_base

        def append(picture: NDArray[np.uint8], stamp: int) -> None:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = int(stamp), time_base
            container.mux(stream.encode(frame))

        yield append
        container.mux(stream.encode())


def write(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    stamps: Iterable[int] | NDArray[np.int64],
    size: tuple[int, int],
    fps: float,
    compression: float,
) -> None:
    """Write pictures with their time stamps to an MP4 file.

    Parameters
    ----------
    path
        File to write.
    pictures
        Frames ``(height, width, 3)`` in red, green and blue, one per time stamp.
    stamps
        Increasing time stamps, in units of 1 / TICKS seconds.
    size
        Width and height [pixels], both even.
    fps
        Nominal frame rate [1/s].
    compression
        Quality on the scale of H.264, from 1 for hardly any loss to 51.
    """
    with encoder(path, size, fps, compression) as append:
        for picture, stamp in zip(pictures, stamps, strict=True):
            append(picture, stamp)
