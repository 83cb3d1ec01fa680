"""Result files: whether they can be written is checked before a run, and each is written as a whole or not at all."""

from __future__ import annotations

import json
import math
import os
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from physlearn.schema import Json
from systems import InputError
from systems.atomic import atomically, file_at, probe
from systems.json_ready import json_ready
from systems.new_folders import make_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def writable(directory: str | os.PathLike[str]) -> Path:
    """Return the directory after creating it if it does not exist; its contents are not changed.

    Raises InputError if nothing can be written to it, so that this is found before the computation.
    """
    path = Path(directory)
    if path.is_file():
        raise InputError(f"cannot write to {_shown(path)}, which is a file: choose a folder")
    try:
        make_folder(path)
        probe(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write to {_shown(path)} ({reason}): choose another --out") from error
    return path


def _writable_file(path: Path) -> None:
    """Raise InputError if no file of that name can be written; no file is changed."""
    try:
        target = file_at(path)
    except OSError as error:
        raise InputError(f"cannot write {_shown(path)} ({error.strerror}): choose another name") from error
    writable(target.parent)


def writable_files(*paths: Path | None, inputs: Sequence[Path | None] = ()) -> None:
    """Raise InputError unless all files can be written and no two are the same file.

    ``inputs`` are files that are read, which must not be overwritten. None stands for a file that was not requested.
    """
    read = [path for path in inputs if path is not None]
    seen: list[Path] = []
    for path in (path for path in paths if path is not None):
        _writable_file(path)
        for other in [*seen, *read]:
            if _alike(path, other):
                use = "is an input" if other in read else "is also an output"
                raise InputError(f"{_shown(path)} would overwrite {_shown(other)}, which {use}: give another name")
        seen.append(path)


def _alike(one: Path, other: Path) -> bool:
    """Return whether two paths may name the same file, through links or on a file system that ignores case."""
    if one.exists() and other.exists() and one.samefile(other):
        return True
    names = [unicodedata.normalize("NFC", os.path.realpath(path)).casefold() for path in (one, other)]
    return names[0] == names[1]


def _shown(path: Path) -> str:
    """Return a path for an error message, shortened if it is very long."""
    return str(path) if len(str(path)) < 120 else f"{str(path)[:100]}..."


def write_json(path: Path, content: Json) -> Path:
    """Write indented JSON, as a whole or not at all, and return the path."""
    with atomically(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, default=_plain, allow_nan=False) + "\n")
    return path


def _plain(value: object) -> object:
    """Return a NumPy or torch number as a JSON value, with None for a non-finite one, and anything else as text."""
    ready = json_ready(value)
    if ready is value:
        return str(value)
    return None if isinstance(ready, float) and not math.isfinite(ready) else ready


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as CSV, as a whole or not at all, and return the path."""
    with atomically(path) as temporary:
        table.to_csv(temporary, index=False)
    return path


def write_figure(path: Path, figure: Figure) -> Path:
    """Write a figure, as a whole or not at all, and return the path."""
    with atomically(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=120, bbox_inches="tight")
    return path


def finite(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Return a row of a table as JSON values, with None for values that are not finite."""
    return {str(k): None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
