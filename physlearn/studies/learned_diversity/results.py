"""The results behind the figures. Each is computed once and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.activations.description import content
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, compare
from physlearn.comparison.combine import COMPARISONS
from physlearn.comparison.compare import first_seed
from physlearn.forecasting.environment import environment
from physlearn.jobs import Workers, told
from physlearn.jobs.digest import digest
from physlearn.jobs.lock import Mark
from physlearn.jobs.store import Files, Store, Unit, name_of
from physlearn.metalearning.metalearn import how, learn_unit, listed
from physlearn.metalearning.search import called, described
from physlearn.tasks import Task
from systems import Orbit
from systems.atomic import atomically

T = TypeVar("T")
UNMARKED = Mark(Path(), "")  # no process can read it
DIGITS = 12  # of the digest in the name of a result


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    with atomically(path) as temporary:
        frame.to_parquet(temporary)


LEARNED = Files(LearnedActivations.save, LearnedActivations.load)
TABLES = Files(_write_table, pd.read_parquet)
ORBITS = Files(Orbit.save, Orbit.load)


@dataclass(frozen=True)
class Results:
    """The results of a study: learned activations, comparisons, tables and orbits, in one store.

    Figures that need the same result share it.

    Parameters
    ----------
    folder : Path
        The folder.
    seed : int, default 0
        Random seed, which is also the first meta-seed.
    progress : bool, default True
        Whether to show progress bars.
    workers : Workers
        Where missing results are computed, several at once if possible.
    sources : Counter
        How many of the requested results were made by each version of the code, by the digest of its source.
    mark : Mark
        The mark of the run that works in the folder, for workers on other machines.
    """

    folder: Path
    seed: int = 0
    progress: bool = True
    workers: Workers = field(default_factory=Workers)
    sources: Counter[str] = field(default_factory=Counter)
    mark: Mark = UNMARKED

    def learned(self, task: Task | Sequence[Task], meta_seed: int = 0, **settings: Any) -> LearnedActivations:
        """Return activations that were meta-learned on a task, or on several together."""
        (one,) = self.several(task, [meta_seed], **settings)
        return one

    def several(self, task: Task | Sequence[Task], meta_seeds: Iterable[int], **settings: Any) -> list[LearnedActivations]:
        """Return the learned activations of several meta-seeds. On a GPU, the missing ones are learned in parallel."""
        store = Store(self.folder, LEARNED)
        names = {k: self._name_of_learned(task, self.seed + k, settings) for k in meta_seeds}
        missing = [k for k, name in names.items() if not store.has(name)]
        together = [missing] if missing and torch.device(listed(task)[0].device).type == "cuda" else [[k] for k in missing]
        checkpoints = [(self.folder / names[some[0]]).with_suffix(".checkpoint").resolve() for some in together]
        mark = None if self.workers.scheduler is None else self.mark
        units = [
            (task, [self.seed + k for k in some], checkpoint, mark, self._inside, settings)
            for some, checkpoint in zip(together, checkpoints, strict=True)
        ]
        for number, made in self._each(learn_unit, units, f"meta-learning {called(listed(task))}"):
            for k, one in zip(together[number], made, strict=True):
                store.write(names[k], one, {"seed": self.seed + k, "settings": dict(settings), **environment()})
            checkpoints[number].unlink(missing_ok=True)
        return [LearnedActivations.load(self._counted(name)) for name in names.values()]

    def _name_of_learned(self, task: Task | Sequence[Task], seed: int, settings: Mapping[str, Any]) -> str:
        tasks = listed(task)
        decisive = {"task": described(tasks), "seed": seed, "stages": how(tasks[0], settings)}
        return name_of(decisive, f"learned-{called(tasks).replace(' ', '-')}", ".safetensors", length=DIGITS)

    def compared(
        self,
        task: Task,
        learned: LearnedActivations | None,
        single: LearnedActivations | None = None,
        meta_seed: int = 0,
        **settings: Any,
    ) -> Comparison:
        """Return a comparison of learned activations, with or without a single type as control, for one meta-seed."""
        (one,) = self.comparisons(task, [Asked(learned, single, meta_seed, settings)])
        return one

    def comparisons(self, task: Task, asked: Iterable[Asked]) -> list[Comparison]:
        """Return several comparisons on a task."""
        parts = trained(task, "training", "tuning", "validation", "test")
        units = []
        for one in asked:
            key = {**parts, **one.key(self.seed)}
            name = name_of(key, f"compared-{task.name}", length=DIGITS)
            units.append(Unit(name, {**key, **environment()}, (task, one, self.seed, self._inside)))
        made = Store(self.folder, COMPARISONS).get_all(
            _compare, units, self.workers, f"comparing on {task.name}", progress=self._outside
        )
        for unit in units:
            self._counted(unit.name)
        return made

    def table(self, name: str, settings: Mapping[str, Any], make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return any other table, determined by the settings and the seed."""
        return self._other(name, settings, ".parquet", TABLES, make)

    def orbit(self, name: str, settings: Mapping[str, Any], make: Callable[[], Orbit]) -> Orbit:
        """Return an orbit, determined by the settings and the seed."""
        return self._other(name, settings, ".nc", ORBITS, make)

    def _other(self, label: str, settings: Mapping[str, Any], suffix: str, form: Files[T], make: Callable[[], T]) -> T:
        key = {**settings, "seed": self.seed}
        name = name_of(key, label, suffix, length=DIGITS)
        made = Store(self.folder, form).get(name, {**key, **environment()}, make)
        self._counted(name)
        return made

    def _counted(self, name: str) -> Path:
        """Count the version of the code that made a result, and return the path."""
        self.sources[told(self.folder / name).get("source", "unknown")] += 1
        return self.folder / name

    def _each(self, function: Callable[..., T], units: Sequence[tuple[Any, ...]], label: str) -> Iterator[tuple[int, T]]:
        """Yield the results of the units, with a progress bar if they run elsewhere and show none themselves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(self.workers.each(function, units)) as results:
            yield from tqdm(results, label, len(units), disable=not self._outside, leave=False, unit="unit")

    @property
    def _outside(self) -> bool:
        """Whether a progress bar counts the units."""
        return self.progress and not self.workers.alone

    @property
    def _inside(self) -> bool:
        """Whether units show progress bars."""
        return self.progress and self.workers.alone


@dataclass(frozen=True)
class Asked:
    """A requested comparison of learned activations, for one meta-seed, with settings of `compare`."""

    learned: LearnedActivations | None
    single: LearnedActivations | None
    meta_seed: int
    settings: Mapping[str, Any]

    def key(self, seed: int) -> dict[str, Any]:
        """Return everything that determines the comparison besides the task."""
        curves = [digest(one.values.tolist()) for one in (self.learned, self.single) if one is not None]
        return {"seed": first_seed(seed, self.meta_seed), "curves": curves, **_described(self.settings)}


def _compare(task: Task, asked: Asked, seed: int, progress: bool) -> Comparison:
    first = first_seed(seed, asked.meta_seed)
    return compare(task, asked.learned, single=asked.single, seed=first, progress=progress, **asked.settings)


def trained(task: Task, *parts: str) -> dict[str, Any]:
    """Return what determines the networks trained on a task, given the parts of its data that are used."""
    training = asdict(task.training)
    if not training["weighted"]:
        del training["weighted"]  # keeps the keys of results that were computed before weights existed
    return {"task": task.describe(*parts), "training": training}


def _described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a comparison with its variants in a form that JSON can represent."""
    if not (variants := settings.get("variants")):
        return dict(settings)
    return {**settings, "variants": {name: content(activation) for name, activation in variants.items()}}
