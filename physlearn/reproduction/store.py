"""Store: what the figures are made from, computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, compare
from physlearn.metalearning import metalearn
from physlearn.tasks import Task
from systems import Orbit
from systems.atomic import atomically

T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """A folder of results, each under a name that tells of what it is and by which settings.

    Two figures that need the same result share it; what was stopped goes on; what is there is read, and never computed again.
    seed: of everything. progress: whether to show bars.
    """

    folder: Path
    seed: int = 0
    progress: bool = True

    def learned(self, task: Task, **settings: Any) -> LearnedActivations:
        """Activations that were meta-learned on a task."""

        def make(path: Path) -> LearnedActivations:
            checkpoint = path.with_suffix(".checkpoint")
            learned = metalearn(task, seed=self.seed, checkpoint=checkpoint, progress=self.progress, **settings)
            learned.save(path)
            checkpoint.unlink(missing_ok=True)
            return learned

        data = task.describe("meta-training", "meta-validation")
        key = {"task": data, "device": str(task.device), "seed": self.seed, **settings}
        return self._kept(f"learned-{task.name}", key, ".safetensors", LearnedActivations.load, make)

    def compared(
        self, task: Task, learned: LearnedActivations, single: LearnedActivations | None, **settings: Any
    ) -> Comparison:
        """A comparison of what was learned, with or without the control of one type."""

        def make(path: Path) -> Comparison:
            result = compare(task, learned, single=single, seed=self.seed, progress=self.progress, **settings)
            result.save(path)
            return result

        curves = [_digest(one.values.tolist()) for one in (learned, single) if one is not None]
        data = task.describe("training", "tuning", "validation", "test")
        key = {"task": data, "device": str(task.device), "seed": self.seed, "curves": curves, **settings}
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


def _digest(key: Any) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()[:12]
