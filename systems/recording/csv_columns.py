"""Read columns of numbers from a CSV file in any of the usual dialects."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError

LONGEST_LINE = 1_000_000
DEFAULT_COLUMNS = ("t", "theta", "omega", "alpha")
LEFT_OUT = "_"
NOT_MEASURED = ("", "nan", "na")

# float() also takes 1_0, inf and digits of other scripts
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
LIKE_A_NUMBER = re.compile(r"[+-]?(?:0x[0-9a-f.p+-]+|[.,]?\d[\d.,_']*(?:[edx*^][+-]?\d*)*|inf(?:inity)?)", re.IGNORECASE)
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")
NAME_AND_UNIT = re.compile(
    r"(.*\S)\s*\[(.*)\]"  # theta [rad]
    r"|(.*\S)\s*\((?!t\))(.*)\)"  # theta (rad), but not theta(t)
    r"|(\w+)\s*/\s*(rad|deg|°|s|ms|us|µs|ns|min|h|m|cm|mm|px)"  # theta/rad, but not dtheta/dt
)
SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # the first line of some spreadsheets' files
NAME = re.compile(r"[^\W\d]\w*")
LONGEST_NAME = 100  # characters: what is longer is no name, and would take a regular expression long


class Columns(dict[str, NDArray[np.float64]]):
    """The columns of a file by name; ``units`` holds the unit of each column for which the file gives one."""

    def __init__(self, values: dict[str, NDArray[np.float64]], units: dict[str, str]) -> None:
        super().__init__(values)
        self.units = units


def read_columns(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> Columns:
    """Read the columns of a CSV file of numbers.

    Commas, semicolons, tabs or blanks separate the columns. Numbers may have decimal commas where commas do not separate
    columns, or where the numbers are quoted. Lines that begin with ``#`` or ``%`` are comments. The first line without a
    number is the header; a second one holds units, which may also follow the names, as in ``theta [deg]``. In a file
    without a header, the last comment before the numbers is the header if it names as many columns as there are. A cell
    that is empty, ``NaN`` or ``NA`` was not measured, and is NaN.

    Parameters
    ----------
    path
        File in UTF-8, or in UTF-16 with a byte order mark.
    columns
        Name of each column, with or without a unit; ``"_"`` leaves a column out. Defaults to the header, or in a file without
        one to the first of ``t, theta, omega, alpha``.

    Returns
    -------
    Columns
        Arrays of shape ``(rows,)`` by name, and the units.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If a cell is no finite number, rows have different lengths, two columns have one name, or the dialect is ambiguous; the
        message names the line or the column.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file {path}")
    try:
        with open(path, "rb") as binary:
            wide = binary.read(2) in (b"\xff\xfe", b"\xfe\xff")
        with open(path, newline="", encoding="utf-16" if wide else "utf-8-sig") as file:
            rows, comment, delimiter = _rows(file, path)
    except (UnicodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file of numbers in UTF-8: {error}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the file") from error
    header = rows.pop(0)[1] if rows and _is_text(rows[0][1]) else None
    units = rows.pop(0)[1] if header and rows and _is_text(rows[0][1]) else None
    if not rows:
        raise InputError(f"{path} holds no rows of numbers")
    width = len(rows[0][1])
    if header is None and delimiter is not None:
        said = comment.split() if delimiter == " " else [cell.strip() for cell in comment.split(delimiter)]
        header = said if len(said) == width > 1 and all(NAME.fullmatch(name_and_unit(name)[0]) for name in said) else None
    named = list(columns) if columns is not None else header or list(DEFAULT_COLUMNS[:width])
    if len(named) != width:
        raise InputError(f"{path} has {width} columns, but {len(named)} are named: {listed(named)}; name each")
    if units is not None and len(units) != width:
        raise InputError(f"{path} has {width} columns, but a second line of words with {len(units)}; make it a line of units")
    if header is None and delimiter == ",":
        _check_points(path, rows)
    for number, row in rows:
        if len(row) != width:
            raise InputError(f"{path}, line {number}: {len(row)} columns where the lines before have {width}")
    names = _names(path, named, rows)
    kept = [i for i, name in enumerate(names) if name != LEFT_OUT]
    decimal_comma = _decimal_comma(path, [row[i] for _, row in rows for i in kept if "," in row[i]], rows, kept)
    values = np.array(
        [[_value(path, number, names[i], row[i], decimal_comma) for i in kept] for number, row in rows], dtype=np.float64
    ).reshape(len(rows), len(kept))
    found = {names[i]: unit for i in kept if (unit := name_and_unit(named[i])[1] or (units[i].strip("[]()") if units else ""))}
    return Columns({names[i]: values[:, k] for k, i in enumerate(kept)}, found)


def _rows(file: TextIO, path: str | os.PathLike[str]) -> tuple[list[tuple[int, list[str]]], str, str | None]:
    """The cells of each line that is neither blank nor a comment, the last comment before them, and the separator."""
    comments: list[str] = []
    lines = _lines(file, path, comments)
    first: list[str] = []
    content: list[str] = []
    delimiter = None
    for line in lines:
        text = line.strip()
        first.append(line)
        if text and not content and delimiter is None and (said := SEPARATOR.fullmatch(text)):
            delimiter, first[-1] = said[1], "\n"
        elif text:
            content.append(text)
        if len(content) == 3:  # at most a header and a line of units come before the numbers
            break
    if delimiter is None and content:
        delimiter = _delimiter(content[-1])

    def all_lines() -> Iterator[str]:
        for line in (*first, *lines):
            yield " ".join(line.split()) + "\n" if delimiter == " " else line

    reader = csv.reader(all_lines(), delimiter=delimiter or ",", skipinitialspace=True)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    return rows, comments[-1] if comments else "", delimiter


def _lines(file: TextIO, path: str | os.PathLike[str], comments: list[str]) -> Iterator[str]:
    """The lines of a file, comments blanked; the last comment before the first other line is kept.

    Raises InputError for a line so long that it is no row of numbers, before the memory holds it.
    """
    begun = False
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path} has a line of more than {LONGEST_LINE} characters: it is not a CSV file of numbers")
        text = line.strip()
        if text.startswith(("#", "%")):
            if not begun:
                comments[:] = [text.lstrip("#% ")]
            yield "\n"
        else:
            begun = begun or bool(text)
            yield line


def _delimiter(line: str) -> str:
    line = re.sub(r'"[^"]*"', "q", line)
    return next((mark for mark in ";\t," if mark in line), " " if len(line.split()) > 1 else ",")


def _is_text(row: list[str]) -> bool:
    """Whether a row holds words and nothing that is, or is meant as, a number."""
    written = [cell for cell in row if cell.lower() not in NOT_MEASURED]
    return bool(written) and not any(LIKE_A_NUMBER.fullmatch(cell[:LONGEST_NAME]) for cell in written)


def listed(names: Iterable[str]) -> str:
    """Names as a message lists them: the first twelve, and how many more there are."""
    shown = [f"{name:.40}" for name in names]
    return ", ".join([*shown[:12], *([f"and {len(shown) - 12} more"] if len(shown) > 12 else [])])


def name_and_unit(column: str) -> tuple[str, str]:
    """The name of a column, and its unit, as in ``theta [deg]``, ``theta (deg)`` or ``theta/deg``; empty if there is none."""
    found = NAME_AND_UNIT.fullmatch(column.strip()) if len(column) <= LONGEST_NAME else None
    if not found:
        return column.strip(), ""
    name, unit = (part for part in found.groups() if part is not None)
    return name.strip(), unit.strip()


def _names(path: str | os.PathLike[str], named: list[str], rows: list[tuple[int, list[str]]]) -> list[str]:
    """The names without units. Raises InputError for two alike, and for a column of numbers without a name."""
    names = [name_and_unit(column)[0] for column in named]
    for i, name in enumerate(names):
        if not name and any(row[i] for _, row in rows):
            raise InputError(f"{path}: column {i + 1} has no name; name each column with columns, '_' for one to leave out")
        if not name:
            names[i] = LEFT_OUT
        elif name != LEFT_OUT and name in names[:i]:
            raise InputError(
                f"{path} has two columns named {name!r:.50}, numbers {names.index(name) + 1} and {i + 1}; rename one of them, "
                "or name each column with columns, '_' for one to leave out"
            )
    return names


def _check_points(path: str | os.PathLike[str], rows: list[tuple[int, list[str]]]) -> None:
    """Raise InputError where commas between columns look like decimal commas: 0,0333,0,1000."""
    cells = [cell for _, row in rows for cell in row]
    if any(re.fullmatch(r"-?0[0-9]+", cell) for cell in cells) and not any("." in cell for cell in cells):
        raise InputError(
            f"{path} separates columns by commas and seems to have decimal commas, too; separate its columns by semicolons"
        )


def _decimal_comma(path: str | os.PathLike[str], cells: list[str], rows: list[tuple[int, list[str]]], kept: list[int]) -> bool:
    """Whether commas within cells are decimal commas. Raises InputError where that cannot be told."""
    if not cells:
        return False
    if all(THOUSANDS.fullmatch(cell) for cell in cells):
        raise InputError(f"{path}: {cells[0]!r:.40} may have a decimal comma or one of thousands; write decimal points")
    if any(NUMBER.fullmatch(row[i]) and "." in row[i] for _, row in rows for i in kept):
        raise InputError(f"{path} has decimal points and commas within numbers, as in {cells[0]!r:.40}; write decimal points")
    return True


def _value(path: str | os.PathLike[str], line: int, name: str, cell: str, decimal_comma: bool) -> float:
    text = cell.replace(",", ".") if decimal_comma else cell
    if NUMBER.fullmatch(text):
        value = float(text)
        if isfinite(value):
            return value
    elif text.lower() in NOT_MEASURED:
        return nan
    elif not INFINITE.fullmatch(text):
        raise InputError(f"{path}, line {line}: {cell!r:.40} in column {name} is not a number")
    raise InputError(f"{path}: column {name} holds values that are not finite numbers, as {cell!r:.40} in line {line}")
