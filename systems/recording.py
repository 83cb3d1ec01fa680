"""Reading recorded angles: columns of a CSV file, gaps, and derivatives without lag."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from scipy.signal import periodogram, savgol_coeffs, savgol_filter

from systems.errors import InputError

LONGEST_LINE = 1_000_000
DEFAULT_COLUMNS = ("t", "theta", "omega", "alpha")
LARGEST_JITTER = 0.1  # in steps: beyond it, a filter that takes equal steps for granted errs visibly


def read_columns(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> dict[str, NDArray[np.float64]]:
    """The named columns of a CSV file of numbers.

    A first line without numbers is the header. Without a header, ``columns`` names the columns; they default to the first
    of ``t, theta, omega, alpha``. With both, ``columns`` wins. An empty cell, where nothing was measured, is NaN.

    Raises FileNotFoundError, or InputError naming the line for text among the numbers, a ragged or an empty file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file {path}")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(_lines(file, path))
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file of numbers: {error}") from error
    header: list[str] | None = None
    if lines and not any(_is_number(cell) for cell in lines[0][1]):
        header = lines.pop(0)[1]
    if not lines:
        raise InputError(f"{path} holds no rows of numbers")
    width = len(lines[0][1])
    names = list(columns) if columns is not None else header or list(DEFAULT_COLUMNS[:width])
    if len(names) != width:
        raise InputError(f"{path} has {width} columns, but {len(names)} are named: {', '.join(names)}; name each")
    for number, row in lines:
        if len(row) != width:
            raise InputError(f"{path}, line {number}: {len(row)} columns where the lines before have {width}")
        for name, cell in zip(names, row, strict=True):
            if cell and not _is_number(cell):
                raise InputError(f"{path}, line {number}: {cell!r:.40} in column {name} is not a number")
    values = np.array([[float(cell or "nan") for cell in row] for _, row in lines])
    return {name: values[:, i] for i, name in enumerate(names)}


def _lines(file: TextIO, path: str | os.PathLike[str]) -> Iterator[str]:
    """Those of a file. Raises InputError for one so long that it is no row of numbers, before the memory holds it."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path} has a line of more than {LONGEST_LINE} characters: it is not a CSV file of numbers")
        yield line


def stretches(t: NDArray[np.float64], gap: float) -> list[slice]:
    """Where times run without a gap, that is, without a step longer than ``gap`` median steps."""
    steps = np.diff(t)
    ends = np.flatnonzero(steps > gap * np.median(steps)) + 1
    return [slice(int(a), int(b)) for a, b in zip([0, *ends], [*ends, len(t)], strict=True)]


def dominant_period(x: NDArray[np.float64]) -> float:
    """The period of the strongest oscillation in ``x``, in samples."""
    frequency, power = periodogram(x, detrend="linear", nfft=8 * len(x))
    return float(1 / frequency[1:][np.argmax(power[1:])])


def half_period_window(x: NDArray[np.float64], order: int) -> int:
    """An odd number of samples spanning about half of the dominant period of ``x``, and enough for the order."""
    half = dominant_period(x) / 2
    return max(2 * round((half - 1) / 2) + 1, order + 1 + order % 2)


def check_filter(window: int, order: int) -> None:
    """Raise InputError unless a filter of that window and order has no lag and a second derivative."""
    if order < 2:
        raise InputError(f"order must be at least 2, for a second derivative, not {order}")
    if window % 2 == 0 or window <= order:
        raise InputError(f"window must be an odd number of samples above the order {order}, not {window}")


def savitzky_golay(
    t: NDArray[np.float64], x: NDArray[np.float64], derivative: int, window: int, order: int
) -> NDArray[np.float64]:
    """The filtered signal or a derivative of it, without phase lag: a polynomial fitted in a window around each sample.

    t, x: ``(T,)`` at equal steps. Raises InputError for unequal steps, or fewer samples than the window.
    Source: Savitzky and Golay, Anal. Chem. 36, 1627 (1964).
    """
    if len(t) < window:
        raise InputError(f"{len(t)} samples in a row are fewer than the filter's window of {window}; set window")
    uniform = np.linspace(t[0], t[-1], len(t))
    step = uniform[1] - uniform[0]
    if np.abs(t - uniform).max() > LARGEST_JITTER * step:
        raise InputError("the times are not equally spaced, which a Savitzky-Golay filter needs; resample them first")
    return np.asarray(savgol_filter(x, window, order, deriv=derivative, delta=step))


def acceleration_gain(window: int, order: int, period: float) -> float:
    """What the second derivative keeps of an oscillation, in amplitude; below 1, for a polynomial cuts the peaks.

    period: in samples. A forecast learned from such accelerations swings slow by the square root of it.
    """
    angle = 2 * np.pi / period * (np.arange(window) - window // 2)
    return float(savgol_coeffs(window, order, deriv=2, use="dot") @ np.cos(angle) / -((2 * np.pi / period) ** 2))


def _is_number(cell: str) -> bool:
    try:
        return not isnan(float(cell))
    except ValueError:
        return False
