"""Report: what a forecast leaves behind - table, orbits, weights, and a manifest of how they came about."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from physlearn._version import __version__
from physlearn.forecasting.contender import Trained
from physlearn.source import digest_of_source
from systems import InputError, Orbit
from systems.atomic import atomically, file_at, probe
from systems.json_ready import json_ready

PACKAGES = ("torch", "numpy", "numba", "scipy", "torchdiffeq")


@dataclass(frozen=True)
class Report:
    """The outcome of one forecast.

    title: one line. table: a row a contender, the truth first. truth, forecasts: the orbits. trained: the models.
    settings: everything that decides the result. notes: what a reader of the table has to know.
    """

    title: str
    table: pd.DataFrame
    truth: Orbit
    forecasts: Mapping[str, Orbit]
    trained: Trained
    settings: Mapping[str, Any]
    seconds: float
    notes: tuple[str, ...] = ()


def writable(directory: str | os.PathLike[str]) -> Path:
    """Return the directory, made if it is missing. Nothing that is in it is touched.

    Raises InputError, before any work is done, where nothing can be written.
    """
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write to {_shown(path)}: {reason}; choose another --out") from error
    return path


def writable_file(path: Path) -> None:
    """Raise InputError, before any work is done, where no file of that name can be written. Nothing is touched."""
    try:
        target = file_at(path)
    except OSError as error:
        raise InputError(f"cannot write {_shown(path)}: {error.strerror}; choose another name") from error
    writable(target.parent)


def writable_files(*paths: Path | None, inputs: Sequence[Path | None] = ()) -> None:
    """Raise InputError, before any work is done, unless all files can be written, each to a place of its own.

    inputs: files that are read, and so must not be written over. None stands for a file that is not asked for.
    """
    read = [path for path in inputs if path is not None]
    seen: list[Path] = []
    for path in (path for path in paths if path is not None):
        writable_file(path)
        for other in [*seen, *read]:
            if _alike(path, other):
                use = "is read" if other in read else "is written, too"
                raise InputError(f"{_shown(path)} would overwrite {_shown(other)}, which {use}; give another name")
        seen.append(path)


def _alike(one: Path, other: Path) -> bool:
    """Whether two paths may name one file: through links, or on a disk that does not tell capitals from small letters."""
    if one.exists() and other.exists() and one.samefile(other):
        return True
    names = [unicodedata.normalize("NFC", os.path.realpath(path)).casefold() for path in (one, other)]
    return names[0] == names[1]


def _shown(path: Path) -> str:
    """A path as it is named in an error, where one of 300 characters would hide what is said."""
    return str(path) if len(str(path)) < 120 else f"{str(path)[:100]}..."


def write(report: Report, directory: Path, prefix: str = "") -> list[Path]:
    """Write orbits, weights, metrics and, last, the manifest, each file whole or not at all; gives the paths."""
    paths: list[Path] = []
    for label, orbit in {"truth": report.truth, **report.forecasts}.items():
        paths.append(directory / f"{prefix}{label.replace(' + ', '_')}.nc")
        orbit.save(paths[-1])
    for name, forecaster in report.trained.forecasters.items():
        paths.append(directory / f"{prefix}{name}.safetensors")
        forecaster.save(paths[-1])
    paths.append(write_json(directory / f"{prefix}metrics.json", metrics(report)))
    paths.append(write_json(directory / f"{prefix}manifest.json", manifest(report)))
    return paths


def metrics(report: Report) -> dict[str, Any]:
    """The table as JSON-ready values; what is not finite becomes None."""
    rows = report.table.reset_index().to_dict("records")
    return {"title": report.title, "notes": list(report.notes), "rows": [finite(row) for row in rows]}


def manifest(report: Report) -> dict[str, Any]:
    """Versions, machine, seed and every setting, and the time spent."""
    return {
        "title": report.title,
        **environment(),
        "settings": dict(report.settings),
        "seconds": {"total": report.seconds, "training": dict(report.trained.seconds)},
    }


def environment() -> dict[str, Any]:
    """When, where, with what and by which command something is computed."""
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": {"physlearn": __version__, **{name: version(name) for name in PACKAGES}},
        "source": digest_of_source(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def write_json(path: Path, content: Any) -> Path:
    """Write indented JSON, whole or not at all; gives the path."""
    with atomically(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, default=_plain, allow_nan=False) + "\n")
    return path


def _plain(value: Any) -> Any:
    """A number of NumPy or torch as JSON has it, None where it is not finite; anything else as text."""
    ready = json_ready(value)
    if ready is value:
        return str(value)
    return None if isinstance(ready, float) and not math.isfinite(ready) else ready


def write_figure(path: Path, figure: Figure) -> Path:
    """Write a picture, whole or not at all; gives the path."""
    with atomically(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=120, bbox_inches="tight")
    return path


def finite(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """A row of a table as JSON has it: what is not finite becomes None."""
    return {str(k): None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
