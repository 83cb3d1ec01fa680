"""Ctrl-C while the command line imports what it needs: one line and exit code 130, as later.

An exception would not do: in the middle of an import it may be lost, or turned into another one. Ctrl-C is held from the
import of this module on, until the command line begins, and then again while a command imports its libraries.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INTERRUPTED = 130  # the exit code of Ctrl-C
MODULES = ("physlearn", "physlearn.cli")  # that python -m runs


def hold() -> None:
    """Let Ctrl-C end the process at once, if the process is the command line's own and has no other answer to it."""
    if (
        _is_command()
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, _leave)


def release() -> None:
    """Hand Ctrl-C back to Python."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end() -> None:
    """Let Ctrl-C end the process at once and without a word, because the command is over and Python only clears up."""
    if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def importing() -> Iterator[None]:
    """Inside, Ctrl-C ends the process at once; a command imports its libraries here, before it begins any work."""
    hold()
    try:
        yield
    finally:
        release()


def _is_command() -> bool:
    """Whether this process is the command line's own, and no worker that it started."""
    given = [part for part in sys.orig_argv[1:] if part not in ("-I", "-E", "-s", "-B", "-u")]
    if not given:
        return False
    return Path(given[0]).stem == "physlearn" or (given[0] == "-m" and given[1] in MODULES)


def _leave(*_: Any) -> None:
    os.write(2, b"physlearn: interrupted\n")
    os._exit(INTERRUPTED)  # nothing has been begun


hold()
