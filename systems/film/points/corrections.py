"""Places of markers that a user has clicked, where the film shows them but tracking lost or mistook them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from systems.errors import InputError
from systems.recording.csv_columns import read_columns

COLUMNS = ("frame", "marker", "x", "y")

Clicks = Mapping[tuple[int, int], tuple[float, float]]  # (frame, marker) to a pixel; NaN for a marker that is hidden


def clicks_of(corrections: Any, markers: int) -> Clicks:
    """Return the clicked places in a CSV file, or in a table or mapping with its columns.

    Parameters
    ----------
    corrections
        Columns ``frame``, ``marker``, ``x`` and ``y`` in pixels of the film. An empty place is a marker that is hidden.
    markers
        Number of markers.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If a column is missing or a row names no frame or no marker.
    """
    if corrections is None:
        return {}
    if isinstance(corrections, str | os.PathLike):
        if not Path(corrections).is_file():
            raise FileNotFoundError(f"there is no file of corrections {corrections}")
        table: Any = dict(read_columns(corrections))
    else:
        table = corrections
    try:
        columns = [np.asarray(table[name], dtype=np.float64) for name in COLUMNS]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"corrections must have the columns {', '.join(COLUMNS)} with numbers, which they have not"
        ) from error
    clicks = {}
    for frame, marker, x, y in zip(*columns, strict=True):
        if not (frame >= 0 and marker in range(markers) and frame == int(frame)):
            raise InputError(
                f"corrections have a row for frame {frame:g} and marker {marker:g}; frames count from 0, and markers "
                f"from 0 to {markers - 1}"
            )
        if np.isinf(x) or np.isinf(y) or np.isnan(x) != np.isnan(y):
            raise InputError(
                f"corrections give marker {marker:g} of frame {frame:g} the place ({x}, {y}); give two numbers or none"
            )
        clicks[int(frame), int(marker)] = (float(x), float(y))
    return clicks
