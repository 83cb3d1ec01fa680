"""Locks: no two runs write to one place."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from systems import InputError


@dataclass(frozen=True)
class Mark:
    """What a run wrote beside its lock: who reads it there is in the folder of that run, be it on another machine."""

    path: Path
    text: str

    @property
    def here(self) -> bool:
        """Whether the mark can be read from this process."""
        try:
            return self.path.read_text() == self.text
        except (OSError, ValueError):
            return False


@contextmanager
def alone_in(folder: Path) -> Iterator[Mark]:
    """Inside, no other run is at work in the folder; the system takes the lock back from one that was killed.

    Yields
    ------
    Mark
        The mark of this run, by which its workers know the folder.

    Raises
    ------
    InputError
        Where another run is at work; names its process, machine and command.
    """
    with _held(folder / ".lock", f"in {folder}", "folder") as mark:
        yield mark


@contextmanager
def alone_on(files: Iterable[Path]) -> Iterator[Mark]:
    """Inside, no other run is to write any of these files; others of the same folder are free.

    Yields
    ------
    Mark
        The mark of this run, by which its workers know the folder.

    Raises
    ------
    InputError
        Where another run is at work on one of them; names its process, machine and command.
    """
    with ExitStack() as stack:
        marks = [
            stack.enter_context(_held(file.with_name(f".{file.name}.lock"), f"on {file}", "file"))
            for file in sorted(set(files))
        ]
        yield marks[0]


@contextmanager
def _held(path: Path, place: str, kind: str) -> Iterator[Mark]:
    lock, note = FileLock(path), path.with_name(f"{path.name}.holder")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"another run is at work {place}{_told(note)}: wait for it, or give another {kind}") from error
    try:
        mark = Mark(note.resolve(), _who())
        with suppress(OSError):  # who holds the lock is a courtesy
            note.write_text(mark.text)
        yield mark
    finally:
        for left in (note, path):  # still locked: nobody else has them
            with suppress(OSError):  # Windows keeps what is open
                left.unlink()
        lock.release()


def _who() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"process {os.getpid()} on {platform.node()} since {datetime.now():%H:%M:%S}, {command[:200]}"


def _told(note: Path) -> str:
    try:
        text = "".join(letter for letter in note.read_text() if letter.isprintable())
    except (OSError, ValueError):
        return ""
    return f" ({text})" if text else ""
