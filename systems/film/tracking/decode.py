"""Read the frames of a film with their own time stamps, one at a time, in constant memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from systems.errors import AccuracyWarning, InputError
from systems.extras import require
from systems.film.tracking.arrays import Bytes

LARGEST_FRAME = 100_000_000  # pixels: three times the largest common film format, 8K UHD, which has 33 million
CONTAINERS = (  # each holds its pictures itself, whereas a playlist, such as concat, hls, dash or sdp, names other files
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,asf,ogg,mxf,nut,dv,mjpeg,"
    "yuv4mpegpipe,gif,apng"
)
UNTIMED = ("h264", "hevc", "mpegvideo", "m4v", "obu", "av1", "mjpeg")  # raw streams, whose times FFmpeg makes up
SMALLEST_SIDE = 32  # pixels: in a smaller frame a marker and its surroundings do not fit


@dataclass(frozen=True)
class Frame:
    """One picture of a film.

    Attributes
    ----------
    t : float
        Time stamp [s].
    y : shape ``(H, W)``
        Brightness.
    u, v : shape ``(H / 2, W / 2)``
        Colour differences, at half the resolution, rounded up.
    """

    t: float
    y: Bytes
    u: Bytes
    v: Bytes


class FilmReader:
    """A film that can be decoded from its start any number of times.

    Times are the frames' presentation time stamps, so that variable frame rates and dropped frames keep their times. Frames
    whose pixels are not square are stretched to a width for which they are, as players show them.

    Parameters
    ----------
    path
        The film.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If the file is not a film, or has no time stamps, or its frames are too large or too small.
    MissingExtraError
        If PyAV is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InputError(f"{path} is a folder; give the film itself")
        if not self.path.is_file():
            raise FileNotFoundError(f"no film {path}")
        with open_film(self.path) as container:
            stream = container.streams.video[0]
            self.width, self.height = int(stream.codec_context.width), int(stream.codec_context.height)
            aspect = float(stream.sample_aspect_ratio or 1)
            if container.format.name in UNTIMED:
                raise InputError(
                    f"{path} holds pictures without time stamps, so that its frame rate is unknown; put them into a file that "
                    f"has them, as ffmpeg -r RATE -i {self.path.name} -c copy film.mp4 does"
                )
        if self.width * self.height > LARGEST_FRAME:
            raise InputError(f"{path} has frames of {self.width} x {self.height} pixels; frames may have at most 100 million")
        if min(self.width, self.height) < SMALLEST_SIDE:
            raise InputError(
                f"{path} has frames of {self.width} x {self.height} pixels; at least {SMALLEST_SIDE} each way are needed"
            )

        # as players do, whose pixels are square
        self._stretched = abs(aspect - 1) > 1e-3 and 0.1 < aspect < 10
        self.width = round(self.width * aspect) if self._stretched else self.width
        first = next(islice(self.pictures(), 1))[1]
        self.rotation = int(first.rotation)
        if first.interlaced_frame:
            warnings.warn(
                f"{path} is interlaced: each frame mixes two pictures that are half a frame apart, which makes angles less "
                "accurate; deinterlace it, as ffmpeg -i FILM -vf bwdif OUT does",
                AccuracyWarning,
                stacklevel=3,
            )

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time.

        A frame that cannot be decoded is left out, and appears as a gap in the times.

        Yields
        ------
        Frame
            The next frame; its arrays are views of the decoder's memory.

        Raises
        ------
        InputError
            For the reasons of `pictures`.
        """
        for t, picture in self.pictures():
            yield Frame(t, *_planes(picture))

    def shown(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the same frames in red, green and blue, without the rotation that players apply.

        Yields
        ------
        shape ``(H, W, 3)``
            The next picture.

        Raises
        ------
        InputError
            For the reasons of `pictures`.
        """
        for _, picture in self.pictures():
            yield picture.to_ndarray(format="rgb24")

    def pictures(self) -> Iterator[tuple[float, Any]]:
        """Yield the times of the same frames with the decoder's pictures.

        Yields
        ------
        t : float
            Time stamp [s].
        picture : av.VideoFrame
            The picture.

        Raises
        ------
        InputError
            If the film breaks off, changes the size of its frames, or holds no frame at all.
        """
        av = require("av", "film", "reading films")
        packets = count = 0
        size: tuple[int, int] | None = None
        last = -np.inf
        with open_film(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            promised = stream.frames
            step = float(1 / stream.average_rate) if stream.average_rate else 1 / 30
            try:
                for packet in container.demux(stream):
                    packets += packet.size > 0
                    try:
                        pictures = packet.decode()
                    except av.error.InvalidDataError:
                        continue
                    for picture in pictures:
                        if picture.width * picture.height > LARGEST_FRAME:
                            raise InputError(f"{self.path} changes to frames above 100 million pixels; cut it into parts")
                        size = size or (picture.width, picture.height)
                        if (picture.width, picture.height) != size:
                            raise InputError(f"{self.path} changes the size of its frames; cut it into parts")
                        t = count * step if picture.time is None else float(picture.time)
                        if t > last:
                            last = t
                            square = picture.reformat(width=self.width, height=self.height) if self._stretched else picture
                            yield t, square
                        count += 1
            except av.error.FFmpegError as error:
                raise InputError(f"{self.path} breaks off after {count} frames: {error}") from error
        if not count:
            raise InputError(f"{self.path} holds no frame that can be decoded; convert it to H.264")
        if packets < promised:
            raise InputError(f"{self.path} is truncated: it declares {promised} frames but holds {packets}; copy it again")


def open_film(path: str | os.PathLike[str]):  # type: ignore[no-untyped-def]  # av's container is a context manager of its own
    """Open a film that holds its own pictures; no other file is ever opened.

    Parameters
    ----------
    path
        The film.

    Returns
    -------
    av.container.InputContainer
        The open film, which is its own context manager.

    Raises
    ------
    InputError
        If the file is cut off, holds no pictures, or is a playlist.
    MissingExtraError
        If PyAV is not installed.
    """
    av = require("av", "film", "reading films")
    av.logging.set_level(None)
    try:
        # an absolute path, so that no name is taken for a protocol
        options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
        container = av.open(os.path.abspath(path), options=options)
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path} is not a film, or it is cut off: {reason}; films are read from MP4, Matroska, AVI and other files that "
            "hold their own pictures"
        ) from error
    if not container.streams.video:
        count = len(container.streams)
        container.close()
        raise InputError(f"{path} holds no pictures, only {count} other streams; give a film")
    if container.streams.video[0].codec_context is None:
        container.close()
        raise InputError(f"{path} holds pictures of a kind that FFmpeg cannot decode; convert it to H.264")
    return container


def _planes(picture) -> tuple[Bytes, Bytes, Bytes]:  # type: ignore[no-untyped-def]
    if picture.format.name not in ("yuv420p", "yuvj420p"):
        picture = picture.reformat(format="yuv420p")
    height, width = picture.height, picture.width
    sizes = (height, width), ((height + 1) // 2, (width + 1) // 2), ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (
        np.frombuffer(plane, np.uint8)[: plane.line_size * rows].reshape(rows, plane.line_size)[:, :columns]
        for plane, (rows, columns) in zip(picture.planes, sizes, strict=True)
    )
    return y, u, v
