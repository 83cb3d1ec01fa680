"""A film whose start is kept in memory, so that it is decoded once although its start is read several times."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice

from systems.film.tracking.decode import FilmReader, Frame

MEMORY = 512_000_000  # bytes: twelve seconds of 1280 x 720 pixels at 30 frames per second need 500 million


class KeptFilm(FilmReader):
    """A film that keeps its first frames, unless they are too large, and decodes the others as they are read.

    Parameters
    ----------
    path
        The film.
    span
        How much of it to keep [s].

    Raises
    ------
    FileNotFoundError, InputError, MissingExtraError
        For the reasons of `FilmReader`.
    """

    def __init__(self, path: str | os.PathLike[str], span: float) -> None:
        super().__init__(path)
        self.span = span
        self._kept: list[Frame] = []
        self._room = MEMORY
        self._rest: Iterator[Frame] | None = super().frames()  # what follows the kept frames; None once it has been read
        self._whole = False  # whether the film ends with the kept frames

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, decoding only those that are not kept.

        The first reader that goes beyond the kept frames decodes on from there; a later one has to decode from the start.

        Yields
        ------
        Frame
            The next frame.

        Raises
        ------
        InputError
            For the reasons of `FilmReader.frames`.
        """
        count = 0
        while count < len(self._kept) or self._keep_another():
            yield self._kept[count]
            count += 1
        if self._whole:
            return
        rest, self._rest = self._rest, None
        if self._room < 0:  # the start is too large to keep
            self._kept.clear()
        yield from islice(super().frames(), count, None) if rest is None else rest

    def _keep_another(self) -> bool:
        """Keep one more frame, if there is one to keep."""
        full = bool(self._kept) and self._kept[-1].t - self._kept[0].t > self.span
        if self._rest is None or self._whole or full or self._room < 0:
            return False
        try:
            frame = next(self._rest, None)
        except BaseException:  # the next reader has to meet the same error
            self._kept.clear()
            self._rest = None
            raise
        if frame is None:
            self._whole = True
            return False
        self._kept.append(frame)
        self._room -= frame.y.nbytes + frame.u.nbytes + frame.v.nbytes
        return True
