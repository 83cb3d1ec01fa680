"""Store: what the figures are made from, computed once and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.activations.description import content
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, compare
from physlearn.comparison.compare import first_seed
from physlearn.forecasting.report import environment
from physlearn.jobs import Workers, seal, told, whole
from physlearn.jobs.digest import digest
from physlearn.jobs.lock import Mark
from physlearn.metalearning.metalearn import learn_unit, settings_for, stages_of
from physlearn.tasks import Task
from systems import Orbit
from systems.atomic import atomically

T = TypeVar("T")
UNMARKED = Mark(Path(), "")  # is read nowhere


@dataclass(frozen=True)
class Store:
    """A folder of results, each under a name that tells of what it is and by which settings.

    Two figures that need the same result share it; what was stopped goes on; what is there and whole, as its seal tells, is
    read, and never computed again.
    seed: of everything, or of the first meta-seed, after which the others count on. progress: whether to show bars. workers:
    where what is missing is computed, many at once if it can be. sources: of how many results that were asked for, by the
    digest of the code that made them. mark: of the run that is at work in the folder, for workers on other machines.
    """

    folder: Path
    seed: int = 0
    progress: bool = True
    workers: Workers = field(default_factory=Workers)
    sources: Counter[str] = field(default_factory=Counter)
    mark: Mark = UNMARKED

    def learned(self, task: Task, meta_seed: int = 0, **settings: Any) -> LearnedActivations:
        """Activations that were meta-learned on a task."""
        (one,) = self.several(task, [meta_seed], **settings)
        return one

    def several(self, task: Task, meta_seeds: Iterable[int], **settings: Any) -> list[LearnedActivations]:
        """Those of several meta-seeds; on a GPU those that are missing are learned side by side."""
        names = {k: self._name_of_learned(task, self.seed + k, settings) for k in meta_seeds}
        missing = [k for k, name in names.items() if not whole(self.folder / name)]
        together = [missing] if missing and torch.device(task.device).type == "cuda" else [[k] for k in missing]
        checkpoints = [(self.folder / names[some[0]]).with_suffix(".checkpoint").resolve() for some in together]
        mark = None if self.workers.scheduler is None else self.mark
        units = [
            (task, [self.seed + k for k in some], checkpoint, mark, self._inside, settings)
            for some, checkpoint in zip(together, checkpoints, strict=True)
        ]
        for number, made in self._each(learn_unit, units, f"meta-learning {task.name}"):
            for k, one in zip(together[number], made, strict=True):
                one.save(self.folder / names[k])
                seal(self.folder / names[k], {"seed": self.seed + k, "settings": dict(settings), **environment()})
            checkpoints[number].unlink(missing_ok=True)
        return [LearnedActivations.load(self._counted(self.folder / name)) for name in names.values()]

    def _name_of_learned(self, task: Task, seed: int, settings: Mapping[str, Any]) -> str:
        data = task.describe("meta-training", "meta-validation")
        stages = [asdict(stage) for stage in stages_of(settings_for(task, settings))]
        return f"learned-{task.name}-{digest({'task': data, 'seed': seed, 'stages': stages})}.safetensors"

    def compared(
        self,
        task: Task,
        learned: LearnedActivations | None,
        single: LearnedActivations | None = None,
        meta_seed: int = 0,
        **settings: Any,
    ) -> Comparison:
        """A comparison of what was learned, with or without the control of one type, by the networks of a meta-seed."""
        (one,) = self.comparisons(task, [Asked(learned, single, meta_seed, settings)])
        return one

    def comparisons(self, task: Task, asked: Iterable[Asked]) -> list[Comparison]:
        """Several on a task."""
        all_ = list(asked)
        parts = trained(task, "training", "tuning", "validation", "test")
        folders = [self.folder / f"compared-{task.name}-{digest({**parts, **one.key(self.seed)})}" for one in all_]
        missing = [n for n, folder in enumerate(folders) if not whole(folder)]
        units = [(task, all_[n], self.seed, self._inside) for n in missing]
        for number, made in self._each(_compare, units, f"comparing on {task.name}"):
            n = missing[number]
            made.save(folders[n])
            seal(folders[n], {**parts, **all_[n].key(self.seed), **environment()})
        return [Comparison.load(self._counted(folder)) for folder in folders]

    def table(self, name: str, settings: Mapping[str, Any], make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Any other table that the settings decide, beside the seed."""

        def write(path: Path) -> pd.DataFrame:
            frame = make()
            with atomically(path) as temporary:
                frame.to_parquet(temporary)
            return frame

        return self._kept(name, {**settings, "seed": self.seed}, ".parquet", pd.read_parquet, write)

    def orbit(self, name: str, settings: Mapping[str, Any], make: Callable[[], Orbit]) -> Orbit:
        """An orbit that the settings decide, beside the seed."""

        def write(path: Path) -> Orbit:
            orbit = make()
            orbit.save(path)
            return orbit

        return self._kept(name, {**settings, "seed": self.seed}, ".nc", Orbit.load, write)

    def _kept(self, name: str, key: Mapping[str, Any], suffix: str, load: Callable[[Path], T], make: Callable[[Path], T]) -> T:
        """Read it if it is there, else make it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}-{digest(key)}{suffix}"
        if whole(path):
            made = load(path)
        else:
            made = make(path)
            seal(path, {**key, **environment()})
        self._counted(path)
        return made

    def _counted(self, result: Path) -> Path:
        """It is used: by what code it was made is counted."""
        self.sources[told(result).get("source", "unknown")] += 1
        return result

    def _each(self, function: Callable[..., T], units: Sequence[tuple[Any, ...]], label: str) -> Iterator[tuple[int, T]]:
        """What comes of the units, with a bar where they run elsewhere and show none of their own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        hidden = not self.progress or self.workers.alone
        yield from tqdm(self.workers.each(function, units), label, len(units), disable=hidden, leave=False, unit="unit")

    @property
    def _inside(self) -> bool:
        """Whether units show bars."""
        return self.progress and self.workers.alone


@dataclass(frozen=True)
class Asked:
    """A comparison that is asked for: of what was learned, by the networks of a meta-seed, with settings of `compare`."""

    learned: LearnedActivations | None
    single: LearnedActivations | None
    meta_seed: int
    settings: Mapping[str, Any]

    def key(self, seed: int) -> dict[str, Any]:
        """All that decides it beside the task."""
        curves = [digest(one.values.tolist()) for one in (self.learned, self.single) if one is not None]
        return {"seed": first_seed(seed, self.meta_seed), "curves": curves, **_described(self.settings)}


def _compare(task: Task, asked: Asked, seed: int, progress: bool) -> Comparison:
    first = first_seed(seed, asked.meta_seed)
    return compare(task, asked.learned, single=asked.single, seed=first, progress=progress, **asked.settings)


def trained(task: Task, *parts: str) -> dict[str, Any]:
    """What decides the networks that are trained on a task, by the data of its parts."""
    training = asdict(task.training)
    if not training["weighted"]:
        del training["weighted"]  # as in the keys of results from before there were weights
    return {"task": task.describe(*parts), "training": training}


def _described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a comparison with its variants as values that JSON takes."""
    if not (variants := settings.get("variants")):
        return dict(settings)
    return {**settings, "variants": {name: content(activation) for name, activation in variants.items()}}
