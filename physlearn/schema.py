"""Validate settings that come from a file. A matching checksum does not prove that this program wrote the file."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from systems import InputError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A value that JSON can represent."""

LONGEST = 100_000  # characters of a text or entries of a list, far more than any setting has
SHOWN = 400  # characters of an error message about a file
SEPARATORS = ("/", "\\", "\0")


def shown(text: object) -> str:
    """Return text from a file, or an error about it, fit to print: truncated and without control characters."""
    whole = str(text)
    kept = "".join(character if character.isprintable() else "?" for character in whole[:SHOWN])
    return kept + "..." * (len(whole) > SHOWN)


def text(value: object, what: str) -> str:
    """Return printable text; control characters could manipulate the terminal. Raises InputError for anything else."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST:
        raise InputError(f"{what} must be printable text, not {value!r:.80}")
    return value


def name(value: object, what: str) -> str:
    """Return a name that is valid as a file name. Raises InputError for anything else, such as a path.

    >>> name("van-der-pol", "task")
    'van-der-pol'
    """
    label = text(value, what)
    if not label or label in (".", "..") or any(separator in label for separator in SEPARATORS):
        raise InputError(f"{what} must be a name without path separators, not {value!r:.80}")
    return label


def names(value: object, what: str) -> tuple[str, ...]:
    """Return distinct, printable, non-empty names. Raises InputError for anything else."""
    found = tuple(text(part, f"each of the {what}") for part in listed(value, what))
    if not all(found) or len(set(found)) < len(found):
        raise InputError(f"the {what} must have distinct, non-empty names, not {value!r:.80}")
    return found


def whole(value: object, what: str, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``. Raises InputError for anything else, a bool included."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{what} must be a whole number from {low} to {high}, not {value!r:.80}")
    return value


def number(value: object, what: str) -> float:
    """Return a finite number. Raises InputError for anything else, a bool included."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InputError(f"{what} must be a finite number, not {value!r:.80}")
    return float(value)


def listed(value: object, what: str, most: int = LONGEST) -> Sequence[Any]:
    """Return a list of limited length. Raises InputError for anything else."""
    if not isinstance(value, list | tuple) or len(value) > most:
        raise InputError(f"{what} must be a list of at most {most} entries, not {value!r:.80}")
    return value


def mapped(value: object, what: str) -> dict[str, Any]:
    """Return a dictionary whose keys and strings, at any depth, are printable. Raises InputError for anything else."""
    if not isinstance(value, Mapping):
        raise InputError(f"{what} must be a mapping of names to values, not {value!r:.80}")
    _printable(value, what)
    return dict(value)


def closed(value: object, what: str, known: Collection[str]) -> dict[str, Any]:
    """Return a dictionary with no other than the known keys, as `mapped` does. Raises InputError for anything else."""
    found = mapped(value, what)
    if unknown := sorted(found.keys() - set(known)):
        raise InputError(f"{unknown[0]!r:.80} is no known entry of the {what}: write the file again")
    return found


def columns(value: object, what: str, texts: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Return columns of equal length, of numbers or None, or of text where ``texts`` names them.

    Raises InputError for anything else.
    """
    table = mapped(value, what)
    for label, column in table.items():
        kinds = (str,) if label in texts else (int, float, type(None))
        if not isinstance(column, list) or not all(type(part) in kinds for part in column):
            raise InputError(
                f"the column {label!r:.80} of the {what} must be a list of {'strings' if str in kinds else 'numbers'}"
            )
    if len({len(column) for column in table.values()}) > 1:
        raise InputError(f"the columns of the {what} must have the same length")
    return table


def _printable(value: object, what: str) -> None:
    if isinstance(value, str):
        text(value, f"each text of the {what}")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            text(key, f"each name in the {what}")
            _printable(part, what)
    elif isinstance(value, list | tuple):
        for part in value:
            _printable(part, what)
