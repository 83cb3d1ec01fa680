"""A run of meta-learning as a unit of work, which may run in another process or on another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning.metalearn import metalearn
from physlearn.tasks import Task


def learn_unit(
    task: Task, seeds: Sequence[int], checkpoint: Path, progress: bool, settings: Mapping[str, Any]
) -> list[LearnedActivations]:
    """Those of the meta-seeds, side by side; a checkpoint is kept where its folder is at hand."""
    path = checkpoint if checkpoint.parent.is_dir() else None  # on another machine there may be no such folder
    return metalearn(task, seed=seeds, checkpoint=path, progress=progress, **settings)
