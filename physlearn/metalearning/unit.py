"""A run of meta-learning as a unit of work, which may run in another process or on another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning.metalearn import metalearn
from physlearn.tasks import Task

if TYPE_CHECKING:
    from physlearn.sweeps.lock import Mark


def learn_unit(
    task: Task, seeds: Sequence[int], checkpoint: Path, mark: Mark | None, progress: bool, settings: Mapping[str, Any]
) -> list[LearnedActivations]:
    """Learn the activations of several meta-seeds side by side.

    Parameters
    ----------
    task, seeds, progress, settings
        As `metalearn` takes them.
    checkpoint
        File to resume from and to write, in the folder of the run that gives the command.
    mark
        The mark of that run, for a unit that may be on another machine: no checkpoint is kept where the mark cannot be read,
        as a folder of the same name is another one there. None for a unit on the same machine.
    """
    path = checkpoint if mark is None or mark.here else None
    return metalearn(task, seed=seeds, checkpoint=path, progress=progress, **settings)
