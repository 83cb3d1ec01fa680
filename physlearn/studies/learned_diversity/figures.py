"""Figures by name: each is made from a store, and leaves a picture, the table behind it, and a manifest."""

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
from physlearn.forecasting.report import environment, write_figure, write_json
from physlearn.jobs import Workers, alone_in
from physlearn.source import digest_of_source
from physlearn.studies.learned_diversity.store import Store
from physlearn.tasks import Task
from systems import InputError
from systems.atomic import atomically

FORMATS = (".png", ".pdf")


RECORDING = "clock_angles.csv"
PAPER = ("mnist1d", "van-der-pol", "henon-heiles-nn", "henon-heiles-hnn", "pendulum-clock-hnn")
"""The tasks of the paper, in the order of its figures."""


@dataclass(frozen=True)
class Request:
    """What is asked of figures. quick: at a size for minutes, not the paper's. data: a folder of recordings, if any."""

    store: Store
    quick: bool = False
    device: str = "cpu"
    data: Path | None = None

    @property
    def recording(self) -> Path | None:
        """The clock's recorded angles, if there are any."""
        file = None if self.data is None else self.data / RECORDING
        return file if file is not None and file.is_file() else None

    def task(self, name: str) -> Task:
        """One of the paper's, the same one for all figures; the clock is simulated where there is no recording."""
        if name not in self._tasks:
            recorded = name == "pendulum-clock-hnn" and self.recording is not None
            settings = {"data": self.recording} if recorded else {}
            self._tasks[name] = tasks.get(name, device=self.device, **settings)
        return self._tasks[name]

    def drawn(self, name: str) -> Drawn:
        """The figure of that name, made when it is first asked for."""
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
    """What comes of it: a picture, the table behind it, all that decided them, and what is to be read, if anything."""

    picture: Figure
    table: pd.DataFrame
    settings: dict[str, Any] = field(default_factory=dict)
    text: str | None = None


_makers: dict[str, Callable[[Request], Drawn]] = {}


def register(name: str) -> Callable[[Callable[[Request], Drawn]], Callable[[Request], Drawn]]:
    """A decorator for the function that makes the figure of that name."""

    def keep(make: Callable[[Request], Drawn]) -> Callable[[Request], Drawn]:
        _makers[name] = make
        return make

    return keep


def names() -> list[str]:
    """The figures of the paper that hold results, and those of what it tells in words."""
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
    """Make figures of the paper, ``"all"`` or some by name; gives the files of each.

    quick: in minutes on two cores; otherwise at the paper's size, 50 networks of each kind and about 1e4 pairs. data: a
    folder with clock_angles.csv; a clock is simulated without. Each figure leaves NAME.png, NAME.pdf, NAME.parquet and
    NAME.json; what they were made from is kept in the folder ``runs`` and not computed again: the manifest, and a line on
    stderr, tell how many of these results other code than this has made. workers: where runs of
    meta-learning and comparisons are computed, in this process unless told otherwise.

    Raises InputError for an unknown name, or a folder in which another run is at work.
    """
    chosen = names() if list(which) == ["all"] else list(which)
    if unknown := [name for name in chosen if name not in _makers]:
        raise InputError(f"no figure {unknown[0]!r}; there are {', '.join(names())}, or all")
    request = Request(Store(out / "runs", seed, progress, workers or Workers()), quick, device, data)
    written = {}
    request.store.folder.mkdir(parents=True, exist_ok=True)
    with alone_in(request.store.folder) as mark:
        request = replace(request, store=replace(request.store, mark=mark))
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
                "results": dict(request.store.sources),
                "settings": drawn.settings,
                "seconds": time.perf_counter() - start,
            }
            written[name] = [*paths, write_json(out / f"{name}.json", content)]
    others = sum(count for source, count in request.store.sources.items() if source != digest_of_source())
    if others:
        tqdm.write(f"{others} results in {out / 'runs'} are of other code than this: another folder has none", file=sys.stderr)
    return written
