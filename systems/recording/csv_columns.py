"""Reading of columns of numbers from CSV files in the usual dialects."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from systems.errors import InputError

LONGEST_LINE = 1_000_000
DEFAULT_COLUMNS = ("t", "theta", "omega", "alpha")
LEFT_OUT = "_"
RUNS = ("run", "trial", "orbit")  # names of the column that tells runs apart
NOT_MEASURED = ("", "nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "?")

# float() also accepts 1_0, inf and digits of other scripts
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
LIKE_A_NUMBER = re.compile(r"[+-]?(?:0x[0-9a-f.p+-]+|[.,]?\d[\d.,_']*(?:[edx*^][+-]?\d*)*|inf(?:inity)?)", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*(?:,[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")
NAME_AND_UNIT = re.compile(
    r"(.*\S)\s*\[(.*)\]"  # theta [rad]
    r"|(.*\S)\s*\((?!t\))(.*)\)"  # theta (rad), but not theta(t)
    r"|(\w+)\s*/\s*(rad|deg|°|s|ms|us|µs|ns|min|h|m|cm|mm|px)"  # theta/rad, but not dtheta/dt
    r"|((?i:time|timestamp))_(s|ms|us|ns|min|h)"  # time_s
    r"|([tT])_(s|ms|us|ns)"  # t_s, but not the least t_min
)
SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # some spreadsheets write this as the first line
NAME = re.compile(r"[^\W\d]\w*")
LONGEST_NAME = 100  # characters; longer text is not a name and would slow down the regular expressions


class Columns(dict[str, NDArray[np.float64]]):
    """Columns of a file by name. ``units`` maps the names of columns to their units, where the file gives them."""

    def __init__(self, values: dict[str, NDArray[np.float64]], units: dict[str, str]) -> None:
        super().__init__(values)
        self.units = units


@dataclass(frozen=True)
class Sheet:
    """The text of a CSV file by columns.

    Parameters
    ----------
    path : path-like
        The file.
    names : list of str
        Name of each column; ``"_"`` for columns that are left out.
    units : dict of str to str
        Units by the names of columns, where the file gives them.
    rows : list of (int, list of str)
        Number of the line, and the cells, of each row of values.
    named : bool
        Whether the file or the caller names the columns.
    """

    path: str | os.PathLike[str]
    names: list[str]
    units: dict[str, str]
    rows: list[tuple[int, list[str]]]
    named: bool

    @property
    def kept(self) -> list[int]:
        """Indices of the columns that are not left out."""
        return [i for i, name in enumerate(self.names) if name != LEFT_OUT]

    def numbers(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return the numbers in some columns, of shape ``(rows, columns)``. Raises InputError for cells that are none."""
        rows = self.rows
        comma = _decimal_comma(self.path, [row[i] for _, row in rows for i in columns if "," in row[i]], rows, columns)
        cells = [[_value(self.path, line, self.names[i], row[i], comma) for i in columns] for line, row in rows]
        return np.array(cells, dtype=np.float64).reshape(len(rows), len(columns))


def read_columns(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> Columns:
    """Read the columns of a CSV file of numbers.

    Columns are separated by commas, semicolons, tabs, bars or blanks. Decimal commas are allowed if commas do not separate
    columns or if the numbers are quoted. Lines that begin with ``#`` or ``%`` are comments. If the first line contains no
    number, it is the header. A second such line contains units, which may also follow the names, as in ``theta [deg]``. In a
    file without a header, the last comment before the numbers is used as the header if it names every column. Cells that are
    empty, or contain ``NaN``, ``NA``, ``N/A``, ``null``, ``none``, ``-``, ``--`` or ``?``, are missing values, which become
    NaN.

    Parameters
    ----------
    path : path-like
        File in UTF-8, or in UTF-16 with a byte order mark.
    columns : sequence of str, optional
        Name of each column, with or without a unit. ``"_"`` leaves a column out. Defaults to the header or, without a header,
        to the first of ``t, theta, omega, alpha``.

    Returns
    -------
    Columns
        Arrays of shape ``(rows,)`` by name, with the units in ``units``.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If a cell is not a finite number, if rows have different lengths, if two columns have the same name, or if the dialect
        is ambiguous. The message names the line or the column.
    """
    sheet = read_sheet(path, columns)
    values = sheet.numbers(sheet.kept)
    return Columns({sheet.names[i]: values[:, k] for k, i in enumerate(sheet.kept)}, sheet.units)


def read_sheet(path: str | os.PathLike[str], columns: Sequence[str] | None = None, *, counted: bool = False) -> Sheet:
    """Read the text of a CSV file by columns; see `read_columns`, which also describes the arguments and errors.

    With ``counted``, a first column without a name may number the rows, as in files of pandas, and is then left out.
    """
    if Path(path).is_dir():
        raise InputError(f"{path} is a folder: give a CSV file")
    if not Path(path).is_file():
        raise FileNotFoundError(f"the file {path} does not exist")
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
        raise InputError(f"{path} contains no rows of numbers")
    width = len(rows[0][1])
    if header is None and delimiter is not None:
        said = comment.split() if delimiter == " " else [cell.strip() for cell in comment.split(delimiter)]
        header = said if len(said) == width > 1 and all(NAME.fullmatch(name_and_unit(name)[0]) for name in said) else None
    named = list(columns) if columns is not None else header or list(DEFAULT_COLUMNS[:width])
    if len(named) != width:
        raise InputError(
            f"{path} has {width} columns, but {len(named)} are named: {listed(named)}; name each column, and begin lines "
            "before the header with #"
        )
    if units is not None and len(units) != width:
        raise InputError(f"{path} has {width} columns, but its line of units has {len(units)}; give one unit per column")
    if header is None and delimiter == ",":
        _check_points(path, rows)
    for number, row in rows:
        if len(row) != width:
            raise InputError(f"{path}, line {number}: {len(row)} columns, but the previous lines have {width}")
    if counted and not named[0] and [row[0] for _, row in rows] in ([str(i + k) for i in range(len(rows))] for k in (0, 1)):
        named[0] = LEFT_OUT
    names = _names(path, named, rows)
    told = [name_and_unit(name)[1] or (units[i].strip("[]()") if units else "") for i, name in enumerate(named)]
    found = {name: unit for name, unit in zip(names, told, strict=True) if unit and name != LEFT_OUT}
    return Sheet(path, names, found, rows, named=columns is not None or header is not None)


def _rows(file: TextIO, path: str | os.PathLike[str]) -> tuple[list[tuple[int, list[str]]], str, str | None]:
    """Return the cells of each line that is not blank or a comment, the last comment before them, and the separator."""
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
        if len(content) == 3:  # at most a header and a line of units precede the numbers
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
    """Yield the lines of a file with comments blanked, and keep the last comment before the first other line.

    Raises InputError for a line that is too long to be a row of numbers, without reading all of it into memory.
    """
    begun = False
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path} has a line of more than {LONGEST_LINE} characters, so it is not a CSV file of numbers")
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
    cells = line.split()
    between = len(cells) > 1 and all(
        DECIMAL_COMMA.fullmatch(cell[:LONGEST_NAME]) or cell.lower() in NOT_MEASURED for cell in cells
    )
    marks = ";\t|" if between else ";\t|,"
    return next((mark for mark in marks if mark in line), " " if len(cells) > 1 else ",")


def _is_text(row: list[str]) -> bool:
    """Return whether a row contains words and nothing that is, or resembles, a number."""
    written = [cell for cell in row if cell.lower() not in NOT_MEASURED]
    return bool(written) and not any(LIKE_A_NUMBER.fullmatch(cell[:LONGEST_NAME]) for cell in written)


def listed(names: Iterable[str]) -> str:
    """Format names for a message: the first twelve, and the number of the others."""
    shown = [f"{name:.40}" for name in names]
    return ", ".join([*shown[:12], *([f"and {len(shown) - 12} more"] if len(shown) > 12 else [])])


def name_and_unit(column: str) -> tuple[str, str]:
    """Split a column such as ``theta [deg]``, ``theta (deg)``, ``theta/deg`` or ``time_s`` into its name and unit.

    The unit may be empty.
    """
    found = NAME_AND_UNIT.fullmatch(column.strip()) if len(column) <= LONGEST_NAME else None
    if not found:
        return column.strip(), ""
    name, unit = (part for part in found.groups() if part is not None)
    return name.strip(), unit.strip()


def _names(path: str | os.PathLike[str], named: list[str], rows: list[tuple[int, list[str]]]) -> list[str]:
    """Return the names without units. Raises InputError for duplicate names and for columns of numbers without a name."""
    names = [name_and_unit(column)[0] for column in named]
    for i, name in enumerate(names):
        if not name and any(row[i] for _, row in rows):
            raise InputError(f"{path}: column {i + 1} has no name; name each with columns, and use '_' to leave one out")
        if not name:
            names[i] = LEFT_OUT
        elif name != LEFT_OUT and name in names[:i]:
            raise InputError(
                f"{path} has two columns named {name!r:.50}, numbers {names.index(name) + 1} and {i + 1}; rename one of them, "
                "or name each column with columns, and use '_' to leave one out"
            )
    return names


def _check_points(path: str | os.PathLike[str], rows: list[tuple[int, list[str]]]) -> None:
    """Raise InputError if commas between columns look like decimal commas, as in 0,0333,0,1000."""
    cells = [cell for _, row in rows for cell in row]
    if any(re.fullmatch(r"-?0[0-9]+", cell) for cell in cells) and not any("." in cell for cell in cells):
        raise InputError(
            f"{path} separates columns by commas and also seems to have decimal commas; separate its columns by semicolons"
        )


def _decimal_comma(
    path: str | os.PathLike[str], cells: list[str], rows: list[tuple[int, list[str]]], kept: Sequence[int]
) -> bool:
    """Return whether commas within cells are decimal commas. Raises InputError if this is ambiguous."""
    if not cells:
        return False
    if all(THOUSANDS.fullmatch(cell) for cell in cells):
        raise InputError(f"{path}: {cells[0]!r:.40} may have a decimal comma or a thousands separator; write decimal points")
    if any(NUMBER.fullmatch(row[i]) and "." in row[i] for _, row in rows for i in kept):
        raise InputError(f"{path} has decimal points, but also numbers such as {cells[0]!r:.40}; write decimal points")
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
        raise InputError(f"{path}, line {line}: {cell!r:.40} in column {name} is not a number; correct it or leave it empty")
    raise InputError(f"{path}: column {name} contains values that are not finite numbers, such as {cell!r:.40} in line {line}")
