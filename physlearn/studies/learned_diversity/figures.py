"""Figures by name. Each is made from stored results, and consists of a picture, the table behind it, and a manifest."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from physlearn import tasks
from physlearn.forecasting.environment import environment
from physlearn.forecasting.files import write_figure, write_json
from physlearn.jobs import Workers, alone_in
from physlearn.source import digest_of_source
from physlearn.studies.learned_diversity.results import Results
from physlearn.tasks import Task
from systems import InputError
from systems.atomic import atomically

FORMATS = (".png", ".pdf")


RECORDING = "clock_angles.csv"
PAPER = ("mnist1d", "van-der-pol", "henon-heiles-nn", "henon-heiles-hnn", "pendulum-clock-hnn")
"""The tasks of the paper, in the order of its figures."""


@dataclass(frozen=True)
class Request:
    """What is requested of the figures.

    With ``quick``, they are small enough for minutes, instead of the paper's size. ``data`` is a folder of recordings, if any.
    """

    results: Results
    quick: bool = False
    device: str = "cpu"
    data: Path | None = None

    @property
    def recording(self) -> Path | None:
        """The recorded angles of the clock, or None if there are none."""
        file = None if self.data is None else self.data / RECORDING
        return file if file is not None and file.is_file() else None

    def task(self, name: str) -> Task:
        """Return a task of the paper, the same object for all figures. The clock is simulated if there is no recording."""
        if name not in self._tasks:
            recorded = name == "pendulum-clock-hnn" and self.recording is not None
            settings = {"data": self.recording} if recorded else {}
            self._tasks[name] = tasks.get(name, device=self.device, **settings)
        return self._tasks[name]

    def drawn(self, name: str) -> Drawn:
        """Return the figure of a name, which is made on first request."""
        if name not in self._drawn:
            self._drawn[name] = _makers[name](self)
        return self._drawn[name]

    @cached_property
    def _tasks(self) -> dict[str, Task]:
        return {}

    @cached_property
    def _drawn(self) -> dict[str, Drawn]:
        return {}


@dataclass(frozen=True)
class Drawn:
    """A finished figure: the picture, the table behind it, all settings that determine them, and an optional text."""

    picture: Figure
    table: pd.DataFrame
    settings: dict[str, Any] = field(default_factory=dict)
    text: str | None = None


_makers: dict[str, Callable[[Request], Drawn]] = {}


def register(name: str) -> Callable[[Callable[[Request], Drawn]], Callable[[Request], Drawn]]:
    """Return a decorator that registers a function as the maker of a figure."""

    def keep(make: Callable[[Request], Drawn]) -> Callable[[Request], Drawn]:
        _makers[name] = make
        return make

    return keep


def names() -> list[str]:
    """Return the names of the figures: first those of the paper with results, then those for claims in its text.

    Returns
    -------
    list of str
        The names.
    """
    return sorted(_makers, key=lambda name: (not name.startswith("fig"), name))


def reproduce(
    which: Sequence[str],
    out: Path,
    *,
    quick: bool = False,
    seed: int = 0,
    device: str = "cpu",
    data: Path | None = None,
    progress: bool = True,
    workers: Workers | None = None,
) -> dict[str, list[Path]]:
    """Reproduce figures of the paper, and return the files of each.

    Each figure consists of NAME.png, NAME.pdf, NAME.parquet and NAME.json, and some of NAME.md as well. Intermediate results
    are kept in the folder ``runs`` and not computed again. The manifest, and a line on stderr, state how many of these results
    were computed by other versions of the code.

    Parameters
    ----------
    which : sequence of str
        Names of figures, or ``["all"]``.
    out : Path
        The folder of the files.
    quick : bool, default False
        Whether to take minutes on two cores, instead of the paper's size of 50 networks of each kind and about 1e4 pairs.
    seed : int, default 0
        Random seed.
    device : str, default 'cpu'
        The device that trains the networks.
    data : Path, optional
        A folder with clock_angles.csv. Without it, the clock is simulated.
    progress : bool, default True
        Whether to show progress bars.
    workers : Workers, optional
        Where meta-learning and comparisons run; by default, in this process.

    Returns
    -------
    dict of str to list of Path
        The files by the name of the figure.

    Raises
    ------
    InputError
        If a name is unknown, or another run is working in the folder.
    """
    chosen = names() if list(which) == ["all"] else list(which)
    if unknown := [name for name in chosen if name not in _makers]:
        raise InputError(f"there is no figure {unknown[0]!r}; there are {', '.join(names())}, or all")
    request = Request(Results(out / "runs", seed, progress, workers or Workers()), quick, device, data)
    written = {}
    request.results.folder.mkdir(parents=True, exist_ok=True)
    with alone_in(request.results.folder) as mark:
        request = replace(request, results=replace(request.results, mark=mark))
        for name in tqdm(chosen, disable=not progress, unit="figure"):
            start = time.perf_counter()
            drawn = request.drawn(name)
            paths = [write_figure(out / f"{name}{suffix}", drawn.picture) for suffix in FORMATS]
            paths.append(out / f"{name}.parquet")
            with atomically(paths[-1]) as temporary:
                drawn.table.to_parquet(temporary)
            if drawn.text is not None:
                paths.append(out / f"{name}.md")
                with atomically(paths[-1]) as temporary:
                    temporary.write_text(drawn.text)
            content = {
                "figure": name,
                **environment(),
                "quick": quick,
                "seed": seed,
                "results": dict(request.results.sources),
                "settings": drawn.settings,
                "seconds": time.perf_counter() - start,
            }
            written[name] = [*paths, write_json(out / f"{name}.json", content)]
    others = sum(count for source, count in request.results.sources.items() if source != digest_of_source())
    if others:
        tqdm.write(
            f"{others} results in {out / 'runs'} come from other versions of the code: to recompute them, use another folder",
            file=sys.stderr,
        )
    return written
