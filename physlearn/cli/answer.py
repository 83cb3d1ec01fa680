"""What a command prints when it has done its work, and whether it shows progress until then."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from physlearn.schema import Json

_QUIET = ContextVar("quiet", default=False)


def set_quiet(quiet: bool) -> None:
    """Set whether text and progress are left out; the option ``--quiet`` calls this before each command."""
    _QUIET.set(quiet)
    logging.getLogger("systems").setLevel(logging.ERROR if quiet else logging.NOTSET)


def answer(summary: Json, text: str, written: Iterable[Path], as_json: bool) -> None:
    """Print the result and the files that were written: the summary as JSON, or the text unless the command is quiet."""
    if as_json:
        typer.echo(json.dumps({"result": summary, "written": [str(path) for path in written]}))
        return
    if _QUIET.get():
        return
    typer.echo(text)
    if paths := ", ".join(str(path) for path in written):
        typer.echo(f"\nwritten: {paths}")


def progress(as_json: bool) -> bool:
    """Whether to show progress bars: to a person at a terminal, not to a script."""
    return sys.stderr.isatty() and not as_json and not _QUIET.get()
