"""The report of a forecast, which can be printed, drawn and saved, and functions that write result files."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from physlearn._version import __version__
from physlearn.forecasting.trained import Trained
from physlearn.schema import Json
from physlearn.source import digest_of_source
from systems import InputError, Orbit
from systems.atomic import atomically, file_at, probe
from systems.json_ready import json_ready

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PACKAGES = ("torch", "numpy", "numba", "scipy", "torchdiffeq")


COLUMNS = {  # of the printed table: heading, and a format with the significant digits
    "derivative_loss": ("derivative loss", "{:.1e}"),
    "valid_time_median": ("valid time", "{:.1f}"),
    "valid_time": ("valid time", "{:.1f}"),
    "energy_error_median": ("energy error", "{:.1e}"),
    "energy_error_largest": ("(worst orbit)", "{:.1e}"),
    "energy_error": ("energy error", "{:.1e}"),
    "period": ("period", "{:.4f}"),
    "period_median": ("period", "{:.4f}"),
    "amplitude": ("amplitude", "{:.4f}"),
    "amplitude_median": ("amplitude", "{:.4f}"),
    "phase_error_end": ("phase error", "{:+.2f}"),
    "drive": ("drive", "{:.3f}"),
}


@dataclass(frozen=True)
class Report:
    """The results of one forecast. As text, it is the title, a table of the main measures, the notes and the duration.

    Parameters
    ----------
    title
        One line.
    table
        One row per contender, the truth first.
    truth, forecasts
        The true orbits, and the forecasts by the label of their contender.
    trained
        The trained models.
    settings
        Everything that determines the result.
    seconds
        Duration of training and forecasting [s].
    draw
        Function that draws the report.
    notes
        Definitions that a reader of the table needs.
    """

    title: str
    table: pd.DataFrame
    truth: Orbit
    forecasts: Mapping[str, Orbit]
    trained: Trained
    settings: Mapping[str, Any]
    seconds: float
    draw: Callable[[Report], Figure]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        columns = [name for name in COLUMNS if name in self.table]
        shown = self.table[columns].rename(columns={name: COLUMNS[name][0] for name in columns}).rename_axis(None)
        text = shown.to_string(formatters=[COLUMNS[name][1].format for name in columns], na_rep="-")
        notes = (*self._best(), *self._chosen(), *self.notes)
        return "\n".join([self.title, text, *(f"  {note}" for note in notes), f"  {self.seconds:.0f} s in all"])

    def _best(self) -> list[str]:
        """Return a note that names the forecast with the longest valid time, and among equals the smallest error."""
        times = [name for name in ("valid_time_median", "valid_time") if name in self.table]
        ranked = self.table.drop(index="truth", errors="ignore")
        if not times or not len(ranked):
            return []
        second = "derivative_loss" if "derivative_loss" in ranked else times[0]
        first = ranked.sort_values(second).sort_values(times[0], ascending=False, kind="stable").iloc[0]
        return [f"the forecast by {first.name} is the best, with a valid time of {first[times[0]]:.1f}"]

    def _chosen(self) -> list[str]:
        """Return a note about each model that was chosen by validation."""
        return [
            f"{label}: {one.name}, which forecasts the largest part of the validation orbits well; the parts are "
            + ", ".join(f"{name} {score:.2f}" for name, score in one.comparison.score.items())
            for label, one in self.trained.forecasters.items()
            if len(one.comparison)
        ]

    def plot(self) -> Figure:
        """Draw the truth and the best forecasts, with their errors over time."""
        return self.draw(self)

    def metrics(self) -> dict[str, Any]:
        """Return the table as JSON-ready values, with None for values that are not finite."""
        rows = self.table.reset_index().to_dict("records")
        return {"title": self.title, "notes": list(self.notes), "rows": [finite(row) for row in rows]}

    def manifest(self) -> dict[str, Any]:
        """Return versions, machine, command, settings and duration."""
        return {
            "title": self.title,
            **environment(),
            "settings": dict(self.settings),
            "seconds": {"total": self.seconds, "training": dict(self.trained.seconds)},
        }

    def save(self, folder: str | os.PathLike[str], prefix: str = "") -> list[Path]:
        """Write orbits, weights, metrics.json, manifest.json and forecast.png; each file is written as a whole or not at all.

        Parameters
        ----------
        folder
            Folder to write to; it is created if it does not exist.
        prefix
            Put before every file name, so that several reports fit in one folder.

        Returns
        -------
        list of Path
            The files written.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        for label, orbit in {"truth": self.truth, **self.forecasts}.items():
            written.append(path / f"{prefix}{label.replace(' + ', '_')}.nc")
            orbit.save(written[-1])
        for name, forecaster in self.trained.forecasters.items():
            written.append(path / f"{prefix}{name}.safetensors")
            forecaster.save(written[-1])
        written.append(write_json(path / f"{prefix}metrics.json", self.metrics()))
        written.append(write_json(path / f"{prefix}manifest.json", self.manifest()))
        written.append(write_figure(path / f"{prefix}forecast.png", self.plot()))
        return written


def writable(directory: str | os.PathLike[str]) -> Path:
    """Return the directory after creating it if it does not exist; its contents are not changed.

    Raises InputError if nothing can be written to it, so that this is found before the computation.
    """
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
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


def environment() -> dict[str, Any]:
    """Return the time, machine, versions and command of a computation."""
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": {"physlearn": __version__, **{name: version(name) for name in PACKAGES}},
        "source": digest_of_source(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


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
