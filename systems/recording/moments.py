"""Dates and times of day, written as text, as seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from systems.errors import InputError

CLOCK = r"(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2}(?:[.,]\d+)?)"
ZONE = r"(?:\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}))?"
SINCE = rf"(?:[T ]\s*(?:{CLOCK}|(?P<hm>\d{{1,2}}:\d{{2}})){ZONE})?"
FORMS = {
    "year first": re.compile(rf"(?P<a>\d{{4}})([-/.])(?P<b>\d{{1,2}})\2(?P<c>\d{{1,2}}){SINCE}"),
    "year last": re.compile(rf"(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})\2(?P<c>\d{{4}}){SINCE}"),
}
TIME_OF_DAY = re.compile(CLOCK)
DAY = 86400.0


def is_moment(cell: str) -> bool:
    """Return whether a text is a date, with or without a time, or a time of day with seconds."""
    text = cell[:40]
    return any(form.fullmatch(text) for form in (*FORMS.values(), TIME_OF_DAY))


def seconds_of(cells: Sequence[str], what: str) -> np.ndarray:
    """Return dates, or times of day, as seconds since the first of them.

    Dates are written as 2024-03-01, 2024/3/1 or, if the order of day and month is clear, as 1.3.2024 or 25/3/2024, with or
    without a time and a time zone. Times of day are written as 14:30:00.5, and continue after midnight.

    Parameters
    ----------
    cells
        The texts.
    what
        Name of the column, for error messages.

    Returns
    -------
    ndarray, shape ``(n,)``
        Seconds.

    Raises
    ------
    InputError
        If a text is neither a date nor a time of day, if both occur, or if day and month cannot be told apart.
    """
    texts = [str(cell).strip() for cell in cells]
    if all(TIME_OF_DAY.fullmatch(text) for text in texts):
        found = np.array([_clock(TIME_OF_DAY.fullmatch(text)) for text in texts])
        return found - found[0] + DAY * np.concatenate([[0], np.cumsum(np.diff(found) < -DAY / 2)])
    for name, form in FORMS.items():
        matches = [form.fullmatch(text) for text in texts]
        if all(matches):
            return _since_first([match for match in matches if match], name == "year first", what)
    wrong = next((text for text in texts if not is_moment(text)), None)
    told = f"contains {wrong!r:.40}" if wrong is not None else "mixes dates of different forms"
    raise InputError(
        f"the column of times, {what!r}, must contain numbers or dates, such as 2024-03-01 14:30:00, but it {told}; correct it"
    )


def _since_first(matches: Sequence[re.Match[str]], year_first: bool, what: str) -> np.ndarray:
    a, b, c = (np.array([int(match[part]) for match in matches]) for part in "abc")
    if year_first:
        year, month, day = a, b, c
    elif matches[0][2] == "." or (a > 12).any():
        year, month, day = c, b, a
    elif (b > 12).any() or (a == b).all() or len({*zip(a, b, strict=True)}) == 1:  # which single day does not matter
        year, month, day = c, a, b
    else:
        raise InputError(
            f"the column of times, {what!r}, contains dates such as {matches[0][0]!r}, whose day and month cannot be told "
            "apart; write them as 2024-03-01"
        )
    try:
        days = pd.to_datetime(pd.DataFrame({"year": year, "month": month, "day": day}))
    except ValueError as error:
        raise InputError(f"the column of times, {what!r}, contains a date that does not exist: {error}") from error
    moved = (days - days.iloc[0]).to_numpy() / np.timedelta64(1, "s")
    within = np.array([_clock(match) - _offset(match["zone"]) for match in matches])
    return moved + (within - within[0])


def _clock(match: re.Match[str] | None) -> float:
    """Return the time of day in seconds."""
    assert match is not None
    parts = match.groupdict()
    if parts["h"] is not None:
        return 3600 * int(parts["h"]) + 60 * int(parts["m"]) + float(parts["s"].replace(",", "."))
    if parts.get("hm"):
        hours, minutes = parts["hm"].split(":")
        return 3600.0 * int(hours) + 60 * int(minutes)
    return 0.0


def _offset(zone: str | None) -> float:
    """Return the difference of a time zone to universal time in seconds."""
    if zone in (None, "", "Z", "UTC"):
        return 0.0
    assert zone is not None
    size = 3600 * int(zone[1:3]) + 60 * int(zone[-2:])
    return float(size if zone[0] == "+" else -size)
