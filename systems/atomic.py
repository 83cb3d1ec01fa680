"""Files that are written whole or not at all."""

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

RUN = secrets.token_hex(4)  # tells this process from an earlier one with its number
STALE = 7 * 24 * 3600  # seconds: a temporary file that no machine has written to for so long is of a run that is gone
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPIPE}
TEMPORARY = re.compile(r"\.physlearn-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-[0-9a-f]{8}(\..*)?")

_cleared: set[Path] = set()


@contextmanager
def atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, which takes the name ``path`` when the block ends well, and goes otherwise.

    A link is followed: the file that it names is replaced. The new file is on the disk before it takes the name, so that a
    loss of power leaves one or the other. Temporary files of processes that were killed are cleared from the folder.

    Parameters
    ----------
    path
        The file to write, in a folder that exists. The permissions of a file that is there are kept.

    Raises
    ------
    InputError
        If the path names something other than a file, such as a folder or a device, or a read-only file.
    OSError
        If the file cannot be written, because the disk is full for instance; what was there is unchanged.

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
        code = getattr(error, "errno", errno.EPIPE)  # an encoder that stopped
        if code not in UNWRITABLE:
            raise
        reason = "the encoder stopped; the disk may be full" if code == errno.EPIPE else os.strerror(code)
        failure = OSError(f"{path} could not be written, and what was there is unchanged: {reason}")
        failure.errno = None if code == errno.EPIPE else code  # command lines take a broken pipe for their own
        raise failure from error
    finally:
        temporary.unlink(missing_ok=True)


def file_at(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path names, through links. It may be missing.

    Raises InputError where the path names something else than a file, or a file that may not be written.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return target
    except ValueError as error:
        raise InputError(f"{os.fspath(path)!r} is not a path ({error})") from error
    if not stat.S_ISREG(mode):
        kind = "folder" if stat.S_ISDIR(mode) else "device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "pipe"
        raise InputError(f"{path} is a {kind}, where a file is to be written; give the name of a file")
    if not os.access(target, os.W_OK):
        raise InputError(f"{path} is read-only; make it writable, or give another name")
    return target


def probe(folder: Path) -> None:
    """Raise OSError where no file can be written in the folder. Nothing that is there is touched."""
    temporary = _temporary(folder)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    temporary.unlink()


def _temporary(folder: Path, suffix: str = "") -> Path:
    """A name that tells whose it is: this machine's, this process's, this run's."""
    kept = suffix if len(suffix) < 20 else ""  # some writers choose the format by it
    return folder / f".physlearn-{_machine()}-{os.getpid()}-{RUN}-{secrets.token_hex(4)}{kept}"


def _settle(temporary: Path, target: Path) -> None:
    """Put the file on the disk and give it its name."""
    with suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
    with open(temporary, "r+b") as written:
        os.fsync(written.fileno())
    os.replace(temporary, target)
    with suppress(OSError):  # not every system syncs folders
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _clear(folder: Path) -> None:
    """Remove what killed processes left in the folder, once in a process."""
    if folder in _cleared:
        return
    _cleared.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (match := TEMPORARY.fullmatch(entry.name)) and _gone(match, entry):
                with suppress(OSError):
                    os.unlink(entry)


def _gone(match: re.Match[str], entry: os.DirEntry[str]) -> bool:
    """Whether the process that wrote a temporary file has ended."""
    machine, process, run = match[1], int(match[2]), match[3]
    if machine != _machine() or os.name == "nt":  # of processes elsewhere, only the age of their files tells
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
    """What the numbers of processes refer to: a machine, or a container on it."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]
