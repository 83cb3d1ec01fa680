"""Folders that are made for results, of which none stays behind that holds no file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_made: list[Path] = []  # of each new branch of folders, the uppermost


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, where they do not exist.

    Raises OSError if a folder cannot be created.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    if missing:
        _made.append(missing[-1].absolute())
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def none_left_empty() -> Iterator[None]:
    """Remove, at the end of the block, every folder from `make_folder` in it that holds no file, with its empty subfolders."""
    _made.clear()
    try:
        yield
    finally:
        for uppermost in reversed(_made):
            for folder, _, _ in os.walk(uppermost, topdown=False):
                with suppress(OSError):  # the folder is not empty
                    os.rmdir(folder)
        _made.clear()
