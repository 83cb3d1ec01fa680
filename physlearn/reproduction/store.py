"""Store: what the figures are made from, computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch

from physlearn.activations import Activation
from physlearn.activations.description import describe
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, compare
from physlearn.comparison.compare import first_seed
from physlearn.metalearning import metalearn
from physlearn.metalearning.metalearn import settings_for, stages_of
from physlearn.tasks import Task
from systems import Orbit
from systems.atomic import atomically

T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """A folder of results, each under a name that tells of what it is and by which settings.

    Two figures that need the same result share it; what was stopped goes on; what is there is read, and never computed again.
    seed: of everything, or of the first meta-seed, after which the others count on. progress: whether to show bars.
    """

    folder: Path
    seed: int = 0
    progress: bool = True

    def learned(self, task: Task, meta_seed: int = 0, **settings: Any) -> LearnedActivations:
        """Activations that were meta-learned on a task."""
        (one,) = self.several(task, [meta_seed], **settings)
        return one

    def several(self, task: Task, meta_seeds: Iterable[int], **settings: Any) -> list[LearnedActivations]:
        """Those of several meta-seeds; on a GPU those that are missing are learned side by side."""
        names = {k: self._name_of_learned(task, self.seed + k, settings) for k in meta_seeds}
        missing = [k for k, name in names.items() if not (self.folder / name).exists()]
        together = [missing] if torch.device(task.device).type == "cuda" else [[k] for k in missing]
        for some in filter(None, together):
            self.folder.mkdir(parents=True, exist_ok=True)
            checkpoint = (self.folder / names[some[0]]).with_suffix(".checkpoint")
            seeds = [self.seed + k for k in some]
            made = metalearn(task, seed=seeds, checkpoint=checkpoint, progress=self.progress, **settings)
            for k, one in zip(some, made, strict=True):
                one.save(self.folder / names[k])
            checkpoint.unlink(missing_ok=True)
        return [LearnedActivations.load(self.folder / name) for name in names.values()]

    def _name_of_learned(self, task: Task, seed: int, settings: Mapping[str, Any]) -> str:
        data = task.describe("meta-training", "meta-validation")
        stages = [asdict(stage) for stage in stages_of(settings_for(task, settings))]
        return f"learned-{task.name}-{_digest({'task': data, 'seed': seed, 'stages': stages})}.safetensors"

    def compared(
        self,
        task: Task,
        learned: LearnedActivations | None,
        single: LearnedActivations | None = None,
        meta_seed: int = 0,
        **settings: Any,
    ) -> Comparison:
        """A comparison of what was learned, with or without the control of one type, by the networks of a meta-seed."""
        seed = first_seed(self.seed, meta_seed)

        def make(path: Path) -> Comparison:
            result = compare(task, learned, single=single, seed=seed, progress=self.progress, **settings)
            result.save(path)
            return result

        curves = [_digest(one.values.tolist()) for one in (learned, single) if one is not None]
        parts = trained(task, "training", "tuning", "validation", "test")
        key = {**parts, "seed": seed, "curves": curves, **_described(settings)}
        return self._kept(f"compared-{task.name}", key, "", Comparison.load, make)

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
        path = self.folder / f"{name}-{_digest(key)}{suffix}"
        done = path / "manifest.json" if not suffix else path  # of a folder, the manifest is written last
        return load(path) if done.exists() else make(path)


def trained(task: Task, *parts: str) -> dict[str, Any]:
    """What decides the networks that are trained on a task, by the data of its parts."""
    return {"task": task.describe(*parts), "training": asdict(task.training)}


def _described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a comparison with its variants as values that JSON takes."""
    if not (variants := settings.get("variants")):
        return dict(settings)
    return {**settings, "variants": {name: _content(activation) for name, activation in variants.items()}}


def _content(activation: str | Activation) -> Any:
    if isinstance(activation, str):
        return activation
    return [describe(activation), *(tensor.tolist() for tensor in activation.state_dict().values())]


def _digest(key: Any) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()[:12]
