"""Ground truth of a rendered film: what each of its frames shows."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pandas
from numpy.typing import NDArray

from systems.atomic import atomically


@dataclass(frozen=True, eq=False)
class Truth:
    """What a film of F frames shows, frame by frame.

    Arrays of shape ``(..., F)`` belong to one clock, ``(F,)``, or to N clocks, ``(N, F)``. Gravity points down in the scene,
    before the camera turns it.

    Parameters
    ----------
    t : shape ``(F,)``
        Time stamps of the frames in the file [s], which start at 0.
    exposed : shape ``(F,)``
        Middle of the exposure of the visible picture [s]. For a duplicate it is that of an earlier frame; with a rolling
        shutter it is that of the middle row.
    duplicate : shape ``(F,)``
        Whether the frame repeats the previous one.
    theta : shape ``(..., F)``
        Angle at ``exposed`` [rad], positive to the viewer's right.
    upper, lower : shape ``(..., F, 2)``
        x and y of the markers' centres at ``exposed``, in the frame as written, after everything that the camera did [pixels].
        x points to the right and y down; the middle of the first pixel is (0, 0).
    upper_visible, lower_visible : shape ``(..., F)``
        Whether the whole marker is visible: inside the frame, with no hand in front.
    """

    t: NDArray[np.float64]
    exposed: NDArray[np.float64]
    duplicate: NDArray[np.bool_]
    theta: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper_visible: NDArray[np.bool_]
    lower_visible: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.t)

    def to_frame(self) -> pandas.DataFrame:
        """Return a table with one row per frame.

        Returns
        -------
        pandas.DataFrame
            Columns ``t``, ``exposed``, ``duplicate``, ``theta``, and x, y and visibility of both markers. With several clocks
            there is one row per clock and frame, and a first column ``clock`` that counts from 0.
        """
        tables = []
        several = self.theta.ndim == 2
        for k, theta in enumerate(np.atleast_2d(self.theta)):
            upper, lower = (a[k] if several else a for a in (self.upper, self.lower))
            seen = [a[k] if several else a for a in (self.upper_visible, self.lower_visible)]
            columns = {"clock": np.full(len(self), k)} if several else {}
            columns |= {"t": self.t, "exposed": self.exposed, "duplicate": self.duplicate, "theta": theta}
            columns |= {"upper_x": upper[:, 0], "upper_y": upper[:, 1], "upper_visible": seen[0]}
            columns |= {"lower_x": lower[:, 0], "lower_y": lower[:, 1], "lower_visible": seen[1]}
            tables.append(pandas.DataFrame(columns))
        return pandas.concat(tables, ignore_index=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_frame` as a CSV file, such as ``truth.save(Path(film).with_suffix(".csv"))`` beside the film.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        with atomically(path) as temporary:
            self.to_frame().to_csv(temporary, index=False)
