"""Endings of the names of files to write, which decide their format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from systems.errors import InputError


def check_ending(path: Path, endings: Sequence[str], what: str) -> None:
    """Raise InputError unless the name of a file ends with one of the endings, in capitals or not.

    Parameters
    ----------
    path
        File to write.
    endings
        Endings with their dots, such as ``(".gif", ".mp4")``.
    what
        Beginning of the message, such as ``"the name of a film"``.
    """
    if path.suffix.lower() not in endings:
        known = " or ".join(", ".join(endings).rsplit(", ", 1))
        raise InputError(f"{what} must end with {known}, which {path.name} does not: give another name")
