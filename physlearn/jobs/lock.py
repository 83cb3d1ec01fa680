"""Locks: only one run at a time writes to a folder or file."""

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
    """The note that a run writes beside its lock.

    A process that can read it shares the folder with that run, even if it is on another machine.
    """

    path: Path
    text: str

    @property
    def here(self) -> bool:
        """Whether this process can read the mark."""
        try:
            return self.path.read_text() == self.text
        except (OSError, ValueError):
            return False


@contextmanager
def alone_in(folder: Path) -> Iterator[Mark]:
    """Hold the lock of a folder, so that no other run works in it.

    The operating system releases the lock if the run is killed.

    Parameters
    ----------
    folder : Path
        The folder to lock.

    Yields
    ------
    Mark
        The mark of this run, by which its workers recognise the folder.

    Raises
    ------
    InputError
        If another run is working in the folder. The message names its process, machine and command.
    """
    with _held(folder / ".lock", f"in {folder}", "folder") as mark:
        yield mark


@contextmanager
def alone_on(files: Iterable[Path]) -> Iterator[Mark]:
    """Hold the locks of some files, so that no other run writes them. Other files in the same folder remain free.

    Parameters
    ----------
    files : iterable of Path
        At least one file. The files need not exist.

    Yields
    ------
    Mark
        The mark of this run, by which its workers recognise the folder.

    Raises
    ------
    InputError
        If another run is working on one of the files. The message names its process, machine and command.
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
        raise InputError(
            f"another run is at work {place}{_told(note)}; wait until it ends, or choose another {kind}"
        ) from error
    try:
        mark = Mark(note.resolve(), _who())
        with suppress(OSError):  # the note is optional: the lock works without it
            note.write_text(mark.text)
        yield mark
    finally:
        for left in (note, path):  # before the lock is released: no other run uses these files yet
            with suppress(OSError):  # Windows does not delete open files
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
