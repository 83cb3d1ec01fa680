"""Options for files to write, whose endings are checked while the command line is read, before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from typer import Option


def output(help_: str, *endings: str, name: str | None = None) -> Any:
    """Return an option for a file to write, which refuses every name without one of the endings.

    Parameters
    ----------
    help_
        Help text, which names the endings.
    endings
        Endings with their dots.
    name
        Name of the option. Default: that of the parameter.
    """
    return Option(*([] if name is None else [name]), help=help_, callback=_ending_in(endings))


def _ending_in(endings: tuple[str, ...]) -> Callable[[typer.CallbackParam, Path | None], Path | None]:
    def checked(parameter: typer.CallbackParam, path: Path | None) -> Path | None:
        from systems.ending import check_ending  # no command is imported for its help

        if path is not None:
            check_ending(path, endings, parameter.opts[0])
        return path

    return checked
