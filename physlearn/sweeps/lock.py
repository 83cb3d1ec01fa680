"""Locks: no two runs write to one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from systems import InputError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Inside, no other run is at work in the folder; the system takes the lock back from one that was killed.

    Raises InputError where another is.
    """
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"another run is at work in {folder}: wait for it, or give another folder") from error
    try:
        yield
    finally:
        lock.release()
