"""What settings in a file may be. A checksum tells that a file is as it was written, not that this program wrote it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from systems import InputError

LONGEST = 100_000  # characters of a text, entries of a list: far more than any setting has
SHOWN = 400  # characters of what is wrong with a file
SEPARATORS = ("/", "\\", "\0")


def shown(text: object) -> str:
    """A text of a file, or an error about it: cut where a forged name is very long, and without control characters."""
    whole = str(text)
    kept = "".join(character if character.isprintable() else "?" for character in whole[:SHOWN])
    return kept + "..." * (len(whole) > SHOWN)


def text(value: Any, what: str) -> str:
    """Return printable text: control characters could write to the terminal. Raises InputError for anything else."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST:
        raise InputError(f"{what} must be printable text, not {value!r:.80}")
    return value


def name(value: Any, what: str) -> str:
    """Return a name that could be that of a file in a folder. Raises InputError for anything else, such as a path.

    >>> name("van-der-pol", "task")
    'van-der-pol'
    """
    if not text(value, what) or value in (".", "..") or any(separator in value for separator in SEPARATORS):
        raise InputError(f"{what} must be a name without path separators, not {value!r:.80}")
    return str(value)


def names(value: Any, what: str) -> tuple[str, ...]:
    """Return different, printable, non-empty names. Raises InputError for anything else."""
    found = tuple(text(part, f"each of the {what}") for part in listed(value, what))
    if not all(found) or len(set(found)) < len(found):
        raise InputError(f"the {what} must have different names, not {value!r:.80}")
    return found


def whole(value: Any, what: str, low: int, high: int) -> int:
    """Return a whole number between two others, inclusively. Raises InputError for anything else; a bool is no number."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{what} must be a whole number from {low} to {high}, not {value!r:.80}")
    return value


def number(value: Any, what: str) -> float:
    """Return a finite number. Raises InputError for anything else; a bool is no number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InputError(f"{what} must be a finite number, not {value!r:.80}")
    return float(value)


def listed(value: Any, what: str, most: int = LONGEST) -> Sequence[Any]:
    """Return a list of limited length. Raises InputError for anything else."""
    if not isinstance(value, list | tuple) or len(value) > most:
        raise InputError(f"{what} must be a list of at most {most} entries, not {value!r:.80}")
    return value


def mapped(value: Any, what: str) -> dict[str, Any]:
    """Return a dictionary whose keys and texts, at any depth, are printable. Raises InputError for anything else."""
    if not isinstance(value, Mapping):
        raise InputError(f"{what} must be a mapping of names to values, not {value!r:.80}")
    _printable(value, what)
    return dict(value)


def columns(value: Any, what: str, texts: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Return columns of numbers (or None) of one length, those in ``texts`` of text. Raises InputError for anything else."""
    table = mapped(value, what)
    for label, column in table.items():
        kinds = (str,) if label in texts else (int, float, type(None))
        if not isinstance(column, list) or not all(type(part) in kinds for part in column):
            raise InputError(
                f"the column {label!r:.80} of the {what} must be a list of {'texts' if str in kinds else 'numbers'}"
            )
    if len({len(column) for column in table.values()}) > 1:
        raise InputError(f"the columns of the {what} must be of one length")
    return table


def _printable(value: Any, what: str) -> None:
    if isinstance(value, str):
        text(value, f"each text of the {what}")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            text(key, f"each name in the {what}")
            _printable(part, what)
    elif isinstance(value, list | tuple):
        for part in value:
            _printable(part, what)
