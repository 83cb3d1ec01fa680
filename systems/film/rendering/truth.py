"""Ground truth of a rendered film: what each of its frames shows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from numpy.typing import NDArray

from systems.atomic import atomically
from systems.errors import InputError

SHARED = ("t", "exposed", "duplicate")  # columns that are the same for all clocks
PLACES = ("upper_x", "upper_y", "upper_visible", "lower_x", "lower_y", "lower_visible")
BOOLEANS = ("duplicate", "upper_visible", "lower_visible")


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

        `load` reads the file without loss.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        with atomically(path) as temporary:
            self.to_frame().to_csv(temporary, index=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Truth:
        """Read the ground truth of a film from a CSV file that `save` wrote.

        Parameters
        ----------
        path
            File to read.

        Returns
        -------
        Truth
            The ground truth.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        InputError
            If the file does not have the columns of `to_frame`, or a cell contains something else than its column.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"the file {path} does not exist")
        try:
            return _truth_in(pandas.read_csv(path, dtype=str, keep_default_na=False))
        except InputError as error:
            raise InputError(f"{path} does not contain the ground truth of a film: {error}") from error
        except Exception as error:  # pandas raises many kinds of errors for a foreign file
            raise InputError(
                f"{path} does not contain the ground truth of a film, as it is no whole CSV file ({type(error).__name__})"
            ) from error


def _truth_in(table: pandas.DataFrame) -> Truth:
    """Return the truth in a table of strings."""
    several = "clock" in table
    expected = [*["clock"] * several, *SHARED, "theta", *PLACES]
    if list(table) != expected:
        raise InputError(f"its columns must be {', '.join(expected)}")
    clock = _numbers(table["clock"]) if several else np.zeros(len(table))
    count = len(np.unique(clock))
    if not len(table) or not np.array_equal(clock, np.repeat(np.arange(count), len(table) // count)):
        raise InputError("it must have at least one frame, and the same number of frames for each clock, counted from 0")
    columns: dict[str, NDArray[Any]] = {
        name: (_booleans if name in BOOLEANS else _numbers)(table[name]).reshape(count, -1)
        for name in (*SHARED, "theta", *PLACES)
    }
    if different := [name for name in SHARED if (columns[name] != columns[name][0]).any()]:
        raise InputError(f"its column {different[0]} must be the same for all clocks")
    own = {name: columns[name] if several else columns[name][0] for name in ("theta", *PLACES)}
    return Truth(
        t=columns["t"][0],
        exposed=columns["exposed"][0],
        duplicate=columns["duplicate"][0],
        theta=own["theta"],
        upper=np.stack([own["upper_x"], own["upper_y"]], axis=-1),
        lower=np.stack([own["lower_x"], own["lower_y"]], axis=-1),
        upper_visible=own["upper_visible"],
        lower_visible=own["lower_visible"],
    )


def _numbers(column: pandas.Series) -> NDArray[np.float64]:
    try:
        values = np.array([float(cell) for cell in column])
    except ValueError as error:
        raise InputError(f"its column {column.name} must contain numbers ({error})") from error
    if not np.isfinite(values).all():
        raise InputError(f"its column {column.name} must contain finite numbers")
    return values


def _booleans(column: pandas.Series) -> NDArray[np.bool_]:
    if not column.isin(["True", "False"]).all():
        raise InputError(f"its column {column.name} must contain True and False")
    return (column == "True").to_numpy(dtype=bool)
