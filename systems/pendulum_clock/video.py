"""Films on disk: pictures with time stamps of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError

TICKS = 60_000  # of the time stamps, a second: whole for 24, 25, 30, 50, 60 and 29.97 frames; MPEG-4 takes up to 65535


def target(path: str | os.PathLike[str]) -> Path:
    """The path, if a film can be written there. Raises InputError where it cannot."""
    target = Path(path)
    if target.suffix.lower() != ".mp4":
        raise InputError(f"a film is written to a file that ends in .mp4, not to {target}")
    if target.is_dir():
        raise InputError(f"{target} is a folder, where a film needs the name of a file")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent} to write the film {target.name} to; make it first")
    if not os.access(target.parent, os.W_OK):
        raise InputError(
            f"the film {target.name} cannot be written to {target.parent}, which is read-only; choose another folder"
        )
    return target


def _encoder() -> str:
    import av

    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


def write(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    stamps: Iterable[int] | NDArray[np.int64],
    size: tuple[int, int],
    fps: float,
    compression: float,
) -> None:
    """Write pictures to a file with their time stamps, in TICKS a second."""
    import av

    encoder = _encoder()
    if encoder == "libx264":  # at crf 0 it writes a profile that few programs play
        options = {"crf": f"{max(compression, 1):g}", "preset": "ultrafast"}
    else:
        quantizer = str(round(1 + compression * 30 / 51))
        options = {"qmin": quantizer, "qmax": quantizer}
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(encoder, rate=Fraction(fps).limit_denominator(1001), options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        for picture, stamp in zip(pictures, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = int(stamp), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
