"""Runs of meta-learning that write files: one per meta-seed, and the control that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning.metalearn import learn_unit
from physlearn.tasks import Task

if TYPE_CHECKING:
    from physlearn.jobs import Workers
    from physlearn.jobs.lock import Mark


@dataclass(frozen=True)
class Run:
    """One run: the file that it writes, its seed, and its number of types, None for the task's own."""

    file: Path
    seed: int
    types: int | None = None

    @property
    def picture(self) -> Path:
        """Where the picture of the learned activations belongs."""
        return self.file.with_suffix(".png")

    @property
    def checkpoint(self) -> Path:
        """Where the run keeps its state, from which it resumes."""
        return self.file.with_suffix(".checkpoint")


def plan(file: Path, seeds: Sequence[int], types: int | None, control: bool) -> list[Run]:
    """List the runs for several meta-seeds, and behind them their controls.

    Parameters
    ----------
    file
        File to write; with several seeds, each run appends its seed to the name.
    seeds
        The meta-seeds.
    types
        Number of types, None for the task's own.
    control
        Whether one type alone is learned as well. A single type is its own control.
    """
    runs = [Run(file if len(seeds) == 1 else file.with_stem(f"{file.stem}-{seed}"), seed, types) for seed in seeds]
    controls = [Run(control_of(run.file), run.seed, 1) for run in runs] if control and types != 1 else []
    return runs + controls


def control_of(file: Path) -> Path:
    """Return the file of the control that belongs to a file of learned activations, beside it."""
    return file.with_name(f"{file.stem}-single{file.suffix}")


def learn(
    task: Task,
    runs: Sequence[Run],
    workers: Workers,
    mark: Mark,
    *,
    history: bool = True,
    progress: bool = True,
    **settings: Any,
) -> dict[Run, LearnedActivations]:
    """Learn activations by every run and write its file as soon as it ends; runs that were stopped resume.

    The checkpoints stay, so that nothing is learned again if a later run is stopped: see `forget`.

    Parameters
    ----------
    task
        What is learned.
    runs
        As `plan` lists them.
    workers
        Where runs are carried out.
    mark
        The mark of this program in the folder that it has locked.
    history
        Whether the files keep the losses and curves of all steps.
    progress
        Whether to show progress bars; only runs in this process have them.
    settings
        Settings of `metalearn`. If the types start from different functions, the control starts from the first of them.
    """
    away = None if workers.scheduler is None else mark
    units = [
        (task, [run.seed], run.checkpoint.resolve(), away, progress and workers.alone, _settings_of(run, settings))
        for run in runs
    ]
    learned: dict[Run, LearnedActivations] = {}
    with closing(workers.each(learn_unit, units)) as results:
        for number, (activations,) in results:
            learned[runs[number]] = activations
            (activations if history else activations.without_history()).save(runs[number].file)
    return {run: learned[run] for run in runs}


def _settings_of(run: Run, settings: Mapping[str, Any]) -> dict[str, Any]:
    found = {"types": run.types, **settings}
    if run.types == 1 and isinstance(base := found.get("base"), str):
        found["base"] = base.split("+")[0]
    return found


def forget(runs: Iterable[Run]) -> None:
    """Remove the checkpoints of runs that are all finished."""
    for run in runs:
        run.checkpoint.unlink(missing_ok=True)
