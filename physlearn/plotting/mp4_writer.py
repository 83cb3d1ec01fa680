"""A matplotlib movie writer that encodes MP4 files by PyAV, so that no program ``ffmpeg`` is needed."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from importlib.util import find_spec
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter, writers
from matplotlib.figure import Figure

from systems.film.rendering import video

COMPRESSION, PRESET = 23, "medium"  # libx264's own defaults


@writers.register("pyav")
class MP4Writer(AbstractMovieWriter):
    """Movie writer for H.264 in MP4, registered with matplotlib as "pyav".

    Width and height of the figure are cut to even numbers of pixels, as H.264 needs them. Codec, bit rate and metadata that
    matplotlib passes are ignored.
    """

    @classmethod
    def isAvailable(cls) -> bool:  # noqa: N802 - the name is matplotlib's
        """Return whether PyAV is installed."""
        return find_spec("av") is not None

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the film [pixels]."""
        width, height = super().frame_size
        return width // 2 * 2, height // 2 * 2

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        """Open the file.

        Parameters
        ----------
        fig
            The figure to grab.
        outfile
            File to write.
        dpi : optional
            Resolution [pixels per inch], by default that of the figure.
        """
        super().setup(fig, outfile, dpi)
        rate = Fraction(self.fps).limit_denominator(1001)
        self._closing = ExitStack()
        opened = video.encoder(Path(outfile), self.frame_size, self.fps, COMPRESSION, preset=PRESET, time_base=1 / rate)
        self._append = self._closing.enter_context(opened)
        self._stamps = count()

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Append the figure as it looks now; keyword arguments go to `matplotlib.figure.Figure.savefig`."""
        columns, rows = super().frame_size
        width, height = self.frame_size
        buffer = BytesIO()
        self.fig.savefig(buffer, format="rgba", dpi=self.dpi, **savefig_kwargs)
        picture = np.frombuffer(buffer.getbuffer(), np.uint8).reshape(rows, columns, 4)
        self._append(np.ascontiguousarray(picture[:height, :width, :3]), next(self._stamps))

    def finish(self) -> None:
        """Write what the encoder still holds and close the file."""
        self._closing.close()
