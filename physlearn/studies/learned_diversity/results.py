"""The store of the results behind the figures. Each is computed once and kept."""

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
UNMARKED = Mark(Path(), "")  # no process can read it


@dataclass(frozen=True)
class Store:
    """A folder of results, each under a name with a digest of the settings that determine it.

    Figures that need the same result share it. A result that is complete, according to its seal, is read and never computed
    again, so a run that was stopped resumes.

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

    def learned(self, task: Task, meta_seed: int = 0, **settings: Any) -> LearnedActivations:
        """Return activations that were meta-learned on a task."""
        (one,) = self.several(task, [meta_seed], **settings)
        return one

    def several(self, task: Task, meta_seeds: Iterable[int], **settings: Any) -> list[LearnedActivations]:
        """Return the learned activations of several meta-seeds. On a GPU, the missing ones are learned in parallel."""
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
        """Return a comparison of learned activations, with or without a single type as control, for one meta-seed."""
        (one,) = self.comparisons(task, [Asked(learned, single, meta_seed, settings)])
        return one

    def comparisons(self, task: Task, asked: Iterable[Asked]) -> list[Comparison]:
        """Return several comparisons on a task."""
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
        """Return any other table, determined by the settings and the seed."""

        def write(path: Path) -> pd.DataFrame:
            frame = make()
            with atomically(path) as temporary:
                frame.to_parquet(temporary)
            return frame

        return self._kept(name, {**settings, "seed": self.seed}, ".parquet", pd.read_parquet, write)

    def orbit(self, name: str, settings: Mapping[str, Any], make: Callable[[], Orbit]) -> Orbit:
        """Return an orbit, determined by the settings and the seed."""

        def write(path: Path) -> Orbit:
            orbit = make()
            orbit.save(path)
            return orbit

        return self._kept(name, {**settings, "seed": self.seed}, ".nc", Orbit.load, write)

    def _kept(self, name: str, key: Mapping[str, Any], suffix: str, load: Callable[[Path], T], make: Callable[[Path], T]) -> T:
        """Read a result if it is complete; otherwise, compute and seal it."""
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
        """Count the version of the code that made a result, and return the path."""
        self.sources[told(result).get("source", "unknown")] += 1
        return result

    def _each(self, function: Callable[..., T], units: Sequence[tuple[Any, ...]], label: str) -> Iterator[tuple[int, T]]:
        """Yield the results of the units, with a progress bar if they run elsewhere and show none themselves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        hidden = not self.progress or self.workers.alone
        with closing(self.workers.each(function, units)) as results:
            yield from tqdm(results, label, len(units), disable=hidden, leave=False, unit="unit")

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
