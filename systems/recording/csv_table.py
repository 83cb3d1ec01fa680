"""Reading of CSV files with any columns as tables, whose columns may be numbers, dates or names of runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from systems.errors import InputError
from systems.recording.csv_columns import LIKE_A_NUMBER, LONGEST_NAME, NOT_MEASURED, RUNS, Sheet, read_sheet
from systems.recording.moments import is_moment


def _read_table(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, text: Sequence[str] = ()
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a CSV file with any columns as a table, and the units of its columns.

    A column is text if none of its cells is a number, or if it holds dates or times of day. A first column without a name that
    numbers the rows is left out, and so are rows without any value.

    Parameters
    ----------
    path, columns
        As for `systems.recording.read_columns`.
    text : sequence of str
        Names of columns that may mix numbers and text, such as the names of runs.

    Returns
    -------
    table : DataFrame
        Columns of float64 and of text, by name.
    units : dict of str to str
        Units by the names of columns.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        As for `systems.recording.read_columns`, and if the columns have no names.
    """
    sheet = read_sheet(path, columns, counted=True)
    if not sheet.named:
        width = len(sheet.names)
        raise InputError(
            f"{path} has no header, so its {width} columns have no names; name them, as in columns=['t', 'x', ...] with "
            f"{width} names, of which '_' leaves a column out"
        )
    rows = [(line, row) for line, row in sheet.rows if not all(cell.lower() in NOT_MEASURED for cell in row)]
    if not rows:
        raise InputError(f"{path} contains no values")
    sheet = Sheet(sheet.path, sheet.names, sheet.units, rows, sheet.named)
    worded = [i for i in sheet.kept if _is_worded([row[i] for _, row in rows], mixed=sheet.names[i] in text)]
    counted = [i for i in sheet.kept if i not in worded]
    values = sheet.numbers(counted)
    parts = {sheet.names[i]: values[:, k] for k, i in enumerate(counted)}
    parts |= {sheet.names[i]: np.array([row[i] for _, row in rows], dtype=object) for i in worded}
    return pd.DataFrame({sheet.names[i]: parts[sheet.names[i]] for i in sheet.kept}), sheet.units


def read_labelled(path: str | os.PathLike[str], columns: Sequence[str] | None, run: str | None) -> pd.DataFrame:
    """Return a CSV file as a table whose columns have the units in their names, as in ``theta [rad]``."""
    if Path(path).suffix.lower() in (".nc", ".nc4"):
        raise InputError(f"{path} is no CSV file; if it is an orbit, read it by Orbit.load")
    table, units = _read_table(path, columns, text=RUNS if run is None else (run,))
    return table.rename(columns={name: f"{name} [{unit}]" for name, unit in units.items()})


def _is_worded(cells: Sequence[str], mixed: bool) -> bool:
    """Return whether a column is text rather than numbers."""
    written = [cell for cell in cells if cell.lower() not in NOT_MEASURED]
    numbers = [bool(LIKE_A_NUMBER.fullmatch(cell[:LONGEST_NAME])) and not is_moment(cell) for cell in written]
    return bool(written) and (not any(numbers) or (mixed and not all(numbers)))
