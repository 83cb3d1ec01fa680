"""Atomic writing of files: a file is written completely or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from systems.errors import InputError

RUN = secrets.token_hex(4)  # distinguishes this process from an earlier one with the same process ID
STALE = 7 * 24 * 3600  # seconds; a temporary file that is older belongs to a run that has ended
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPIPE}
TEMPORARY = re.compile(r"\.physlearn-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-[0-9a-f]{8}(\..*)?")

_cleared: set[Path] = set()


@contextmanager
def atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path, and rename it to ``path`` if the block succeeds; otherwise remove it.

    Symbolic links are followed, so the file that a link points to is replaced. The new file is flushed to disk before it is
    renamed, so that a power failure leaves either the old or the new file. Temporary files that killed processes left in the
    folder are removed.

    Parameters
    ----------
    path
        File to write, in a folder that exists. An existing file keeps its permissions.

    Yields
    ------
    Path
        Temporary file in the same folder, with the same suffix.

    Raises
    ------
    InputError
        If the path is not a regular file, as for a folder or a device, or if the file is read-only.
    OSError
        If the file cannot be written, for instance because the disk is full. An existing file is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomically(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    target = file_at(path)
    _clear(target.parent)
    temporary = _temporary(target.parent, target.suffix)
    try:
        yield temporary
        _settle(temporary, target)
    except (OSError, subprocess.CalledProcessError) as error:
        code = getattr(error, "errno", errno.EPIPE)  # the video encoder stopped
        if code not in UNWRITABLE:
            raise
        reason = "the encoder stopped; the disk may be full" if code == errno.EPIPE else os.strerror(code)
        failure = OSError(f"{path} could not be written, and any existing file is unchanged: {reason}")
        failure.errno = None if code == errno.EPIPE else code  # a command line would take a broken pipe for its own
        raise failure from error
    finally:
        temporary.unlink(missing_ok=True)


def file_at(path: str | os.PathLike[str]) -> Path:
    """Resolve a path to the file it refers to, following symbolic links. The file need not exist.

    Raises InputError if the path is not a regular file, or if the file is not writable.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return target
    except ValueError as error:
        raise InputError(f"{os.fspath(path)!r} is not a path ({error}); give the name of a file") from error
    if not stat.S_ISREG(mode):
        kind = "folder" if stat.S_ISDIR(mode) else "device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "pipe"
        raise InputError(f"{path} is a {kind}, not a file; give the name of a file")
    if not os.access(target, os.W_OK):
        raise InputError(f"{path} is read-only; make it writable or give another name")
    return target


def probe(folder: Path) -> None:
    """Raise OSError if no file can be written in the folder. Existing files are not touched."""
    temporary = _temporary(folder)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    temporary.unlink()


def _temporary(folder: Path, suffix: str = "") -> Path:
    """Return a path whose name identifies this machine, this process and this run."""
    kept = suffix if len(suffix) < 20 else ""  # some writers choose the format by the suffix
    return folder / f".physlearn-{_machine()}-{os.getpid()}-{RUN}-{secrets.token_hex(4)}{kept}"


def _settle(temporary: Path, target: Path) -> None:
    """Flush the temporary file to disk and rename it."""
    with suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
    with open(temporary, "r+b") as written:
        os.fsync(written.fileno())
    os.replace(temporary, target)
    with suppress(OSError):  # not every file system can sync folders
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _clear(folder: Path) -> None:
    """Remove the temporary files that killed processes left in the folder, once per process."""
    if folder in _cleared:
        return
    _cleared.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (match := TEMPORARY.fullmatch(entry.name)) and _gone(match, entry):
                with suppress(OSError):
                    os.unlink(entry)


def _gone(match: re.Match[str], entry: os.DirEntry[str]) -> bool:
    """Return whether the process that wrote a temporary file has ended."""
    machine, process, run = match[1], int(match[2]), match[3]
    if machine != _machine() or os.name == "nt":  # for processes elsewhere, only the age of the file is known
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE
    if process == os.getpid():
        return run != RUN
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _machine() -> str:
    """Return a hash of the machine or container within which process IDs are unique."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]
