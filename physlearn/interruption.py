"""Ctrl-C while the command line still imports what it needs: one line and exit code 130, as later."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

INTERRUPTED = 130


def _is_command() -> bool:
    """Whether this process is the command line's own, and no worker that it started."""
    given = [part for part in sys.orig_argv[1:] if part not in ("-I", "-E", "-s", "-B", "-u")]
    return Path(given[0]).stem == "physlearn" or given[:2] == ["-m", "physlearn.cli"] if given else False


def _leave(*_: Any) -> None:
    os.write(2, b"physlearn: interrupted\n")
    os._exit(INTERRUPTED)  # nothing has been begun


def imported() -> None:
    """Hand Ctrl-C back to Python once all is imported."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if (
    _is_command()
    and threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, _leave)
