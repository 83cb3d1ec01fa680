"""metalearn: learn activation functions for a task."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn import tensor_file
from physlearn.activations.learned import LearnedActivations
from physlearn.activations.table import INTERVAL, POINTS, Table
from physlearn.metalearning import checkpoint as checkpoints
from physlearn.metalearning.outer import OuterLoop
from physlearn.metalearning.search import described, search_for
from physlearn.metalearning.search_settings import SEARCHES, SearchSettings
from physlearn.metalearning.settings import MetaLearning
from physlearn.tasks import Task
from systems import InputError

if TYPE_CHECKING:
    from physlearn.jobs.lock import Mark

CHECKPOINT_EVERY = 20  # outer steps

TWO_STAGE: tuple[dict[str, Any], ...] = (
    {
        "variant": "first-order",
        "outer_steps": 400,
        "inner_steps": 22,
        "networks": 16,
        "lifetime": (66, 660),
        "inner_learning_rate": (3e-3, 3e-2),
        "logarithm": True,
        "gain": 5.0,
        "warm_up": 20,
    },
    {
        "variant": "evolution",
        "outer_steps": 200,
        "inner_steps": 660,  # the 10 epochs that a comparison trains for
        "inner_learning_rate": (1e-2, 0.15),
        "schedule": "cosine",
        "held_out": True,
        "outer_learning_rate": 0.03,
        "clip": None,
        "warm_up": 1,
    },
)
"""The stages of the preset ``"two-stage"``. The first-order stage trains a pool of networks of all ages. The evolution stage
then works on the true objective: the loss on held-out pairs at the end of a full training, as the activations will be used."""


@overload
def metalearn(task: Task | Sequence[Task], *, seed: int = 0, **settings: Any) -> LearnedActivations: ...
@overload
def metalearn(task: Task | Sequence[Task], *, seed: Sequence[int], **settings: Any) -> list[LearnedActivations]: ...


def metalearn(
    task: Task | Sequence[Task],
    *,
    types: int | None = None,
    base: str | Sequence[str] | None = None,
    variant: str | None = None,
    outer_steps: int | None = None,
    inner_steps: int | None = None,
    networks: int | None = None,
    seed: int | Sequence[int] = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
    **settings: Any,
) -> LearnedActivations | list[LearnedActivations]:
    """Learn activation functions for a task: by a search, or as in Algorithm 1 of *Neural networks embrace learned diversity*.

    Settings that are not given are taken from the task. If another variant than the task's is chosen, they have the defaults
    of `MetaLearning` instead.

    Parameters
    ----------
    task
        Task to learn, from `physlearn.tasks.get`; or several tasks, for which a search finds activations that serve all of
        them: those with the least log loss in the mean over the tasks (a factor of more than ten on one task counts as ten).
    types
        Number of neuron types.
    base
        Name of the function from which each type starts, or one name for each type, as a list or as ``"sine+square"``.
    variant
        ``"search"``, which screens a pool of functions, combines the best and polishes the winners, its controls
        ``"screening"``, ``"named"`` and ``"random-search"``, or one of the variants of the paper's algorithm: ``"unrolled"``,
        ``"truncated"``, ``"first-order"``, ``"final-step"``, ``"evolution"``, or ``"two-stage"``, a preset with the stages of
        `TWO_STAGE`.
    outer_steps
        Number of outer steps. With several stages, it is the total, divided in the proportions of the stages. In a search,
        it is the number of generations of the polishing.
    inner_steps
        Number of inner training steps. With several stages, it applies to the last. A search takes full trainings, by
        default as long as those of the task.
    networks
        Number of networks that train at the same time, or that judge the finalists of a search.
    seed
        Random seed, or several. With several, the runs are vectorised, independent of each other, and returned as a list.
    checkpoint
        Checkpoint file, written every 20 outer steps, in a search every few seconds. If it exists, the run resumes from it;
        the result is bitwise identical to that of an uninterrupted run.
    progress
        Whether to show a progress bar.
    **settings
        Other settings of `MetaLearning` (in a search, of `SearchSettings`), and ``stages``: a list of settings, one mapping
        per stage. Each stage starts from the best curves of the one before. All other arguments apply to every stage.

    Returns
    -------
    LearnedActivations or list of LearnedActivations
        The curves with the best smoothed held-out loss, captured on [-10, 10] at 100 points. Those of a search are the best
        of the finalists on [-12, 12] at 241 points, and ``base`` is the best combination of named functions.

    Raises
    ------
    InputError
        If a setting is invalid, or the checkpoint is of a run with other settings.
    UnknownNameError
        If a variant, base function or optimizer does not exist.

    Examples
    --------
    >>> from physlearn import tasks
    >>> task = tasks.get("van-der-pol", orbits=5)
    >>> metalearn(task, outer_steps=2, inner_steps=3, networks=2, variant="unrolled", progress=False)
    LearnedActivations(2 types from sine on van-der-pol, unrolled; cubic on [-10, 10] at 100 points)
    """
    tasks = listed(task)
    given = {"types": types, "base": base, "variant": variant, "outer_steps": outer_steps, "inner_steps": inner_steps,
             "networks": networks}  # fmt: skip
    chosen = settings_for(tasks[0], {**{name: value for name, value in given.items() if value is not None}, **settings})
    seeds = _checked(list(seed) if isinstance(seed, Sequence) and not isinstance(seed, str) else [seed])
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent} for the checkpoint; create it, or choose another path")
    if chosen.get("variant") in SEARCHES:
        learned = search_for(tasks, search_settings_of(tasks[0], chosen), seeds, path, progress)
        return learned if isinstance(seed, Sequence) else learned[0]
    if len(tasks) > 1:
        raise InputError(f"only a search learns from {len(tasks)} tasks together: use variant='search', or give one task")
    stages = stages_of(chosen)
    label = {"task": described(tasks), "seeds": seeds, "stages": [asdict(stage) for stage in stages]}
    learned = _run(tasks[0], stages, seeds, label, path, progress)
    return learned if isinstance(seed, Sequence) else learned[0]


def listed(task: Task | Sequence[Task]) -> list[Task]:
    """Return one task, or several, as a list. Raises InputError if they are none."""
    tasks = [task] if isinstance(task, Task) else list(task) if isinstance(task, list | tuple) else []
    if not tasks or not all(isinstance(one, Task) for one in tasks):
        raise InputError(f"metalearn needs a task, such as tasks.get('van-der-pol'), or a list of them, not {task!r}")
    return tasks


def _checked(seeds: Sequence[Any]) -> list[int]:
    if not seeds or not all(isinstance(seed, Integral) and abs(int(seed)) < 2**32 for seed in seeds):
        raise InputError(
            f"seed must be a whole number below 2^32, or a list of them, not {', '.join(map(repr, seeds)) or 'an empty list'}"
        )
    if len(set(seeds)) < len(seeds):
        raise InputError(f"the seeds must be different from each other, not {seeds}")
    return [int(seed) for seed in seeds]


def how(task: Task, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return everything that determines how activations are learned: the settings of a search, or of each stage."""
    chosen = settings_for(task, given)
    if chosen.get("variant") in SEARCHES:
        return [asdict(search_settings_of(task, chosen))]
    return [asdict(stage) for stage in stages_of(chosen)]


def settings_for(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given settings, completed by the task's own, which apply only to the task's own variant."""
    other = "stages" in given or given.get("variant", task.learning.get("variant")) != task.learning.get("variant")
    return {**({} if other else task.learning), **given}


def search_settings_of(task: Task, chosen: Mapping[str, Any]) -> SearchSettings:
    """Return the settings of a search; a full training has as many steps as those of the task."""
    if unknown := sorted(set(chosen) - set(SearchSettings.__dataclass_fields__)):
        raise InputError(
            f"a search has no setting {unknown[0]!r}; choose from {', '.join(SearchSettings.__dataclass_fields__)}"
        )
    batch = chosen.get("batch_size", task.training.batch_size)
    steps = task.training.epochs * max(1, len(task.pairs("meta-training")) // batch)
    return SearchSettings(**{"inner_steps": steps, "batch_size": batch, **chosen})


def stages_of(chosen: Mapping[str, Any]) -> list[MetaLearning]:
    """Return the settings of each stage: of a single one, of the given stages, or of a preset.

    The other chosen settings override those of the stages.
    """
    common = dict(chosen)
    parts = common.pop("stages", None)
    if common.get("variant") == "two-stage":
        if parts is not None:
            raise InputError("variant 'two-stage' defines its own stages; give either the variant or stages")
        common.pop("variant")
        parts = TWO_STAGE
    if parts is None:
        parts = [{}]
    if isinstance(parts, Mapping) or not parts or not all(isinstance(part, Mapping) for part in parts):
        raise InputError(f"stages must be a list of settings, one mapping per stage, not {parts!r}")
    for part in (common, *parts):
        _check_names(part)
    total, steps = common.pop("outer_steps", None), common.pop("inner_steps", None)
    variant = {"variant": common.pop("variant")} if "variant" in common else {}
    stages = [MetaLearning(**{**variant, **part, **common}) for part in parts]
    for name in ("types", "base", "width", "parity"):
        if len({getattr(stage, name) for stage in stages}) > 1:
            raise InputError(f"stages work on the same curves and must not differ in {name}; give all the same value")
    if total is not None:
        stages = [replace(stage, outer_steps=n) for stage, n in zip(stages, _shared_out(total, stages), strict=True)]
    if steps is not None:
        stages[-1] = replace(stages[-1], inner_steps=steps)
    return stages


def _check_names(settings: Mapping[str, Any]) -> None:
    if unknown := sorted(set(settings) - set(MetaLearning.__dataclass_fields__)):
        raise InputError(
            f"metalearn has no setting {unknown[0]!r}; choose from {', '.join(MetaLearning.__dataclass_fields__)}, stages"
        )


def _shared_out(total: int, stages: Sequence[MetaLearning]) -> list[int]:
    """Divide the outer steps in the proportions of the stages, with at least one for each."""
    total = MetaLearning(outer_steps=total).outer_steps
    if total < len(stages):
        raise InputError(f"{len(stages)} stages need at least {len(stages)} outer_steps, not {total}")
    whole, shares = sum(stage.outer_steps for stage in stages), list[int]()
    for k, stage in enumerate(stages[:-1]):
        left = total - sum(shares) - (len(stages) - 1 - k)
        shares.append(min(max(1, round(total * stage.outer_steps / whole)), left))
    return [*shares, total - sum(shares)]


def _run(
    task: Task, stages: Sequence[MetaLearning], seeds: Sequence[int], label: dict[str, Any], path: Path | None, progress: bool
) -> list[LearnedActivations]:
    label = checkpoints.as_read(label)
    state = checkpoints.load(path, label) if path is not None and path.exists() else {"finished": [], "under_way": None}
    neurons = None
    loops: list[OuterLoop] = []
    bar = tqdm(total=sum(stage.outer_steps for stage in stages), disable=not progress, unit="step", leave=False)
    with bar:
        for k, stage in enumerate(stages):
            loop = OuterLoop(task, stage, [seed + 1000 * k for seed in seeds], neurons)
            known = state["finished"][k] if k < len(state["finished"]) else state["under_way"]
            if known is not None and path is not None:
                with tensor_file.understood(path):
                    checkpoints.check_like(known, {**loop.state(), "optimizers": None})  # torch checks those itself
                    loop.resume(known)
                if k >= len(state["finished"]):
                    state["under_way"] = None
            bar.update(loop.step_count)
            bar.set_description(f"meta-learning {task.name}, {stage.variant}")

            def save(loop: OuterLoop = loop) -> None:
                if path is not None:
                    done = [before.state() for before in loops]
                    checkpoints.save(path, label, {"finished": done, "under_way": loop.state()})

            loop.run(bar, CHECKPOINT_EVERY, save)
            loops.append(loop)
            loop.keep_best()
            neurons = loop.neurons
    return [_learned(task, loops, k, seed) for k, seed in enumerate(seeds)]


def _learned(task: Task, loops: Sequence[OuterLoop], k: int, seed: int) -> LearnedActivations:
    captured = torch.linspace(*INTERVAL, POINTS, dtype=torch.float64)
    last = loops[-1]
    neurons = last.neurons[k]
    with torch.no_grad():
        values = neurons.double().curves(captured.to(task.device)).cpu()
    neurons.to(task.dtype)
    snapshots, steps, rows, before = [], [], [], 0
    for loop in loops:
        record = loop.records[k]
        for step, curves in zip(record.snapshot_steps, record.snapshots, strict=True):
            snapshots.append(_resampled(loop, curves, captured))
            steps.append(before + step)
        rows.append(record.losses().assign(stage=loop.settings.variant))
        before += loop.settings.outer_steps
    snapshots.append(values)
    steps.append(before)
    settings = {
        "variant": " + ".join(loop.settings.variant for loop in loops),
        "seed": seed,
        "stages": [asdict(loop.settings) for loop in loops],
        "best_steps": [loop.records[k].best_step for loop in loops],
        "skipped": sum(loop.records[k].skipped for loop in loops),
        "left_out": int(sum(row["left_out"] for loop in loops for row in loop.records[k].rows)),
        "title": task.title,
        "model": task.model,
        "hidden": list(task.hidden),
    }
    return LearnedActivations(
        values=values,
        base=str(last.settings.base),
        task=task.name,
        settings=checkpoints.as_read(settings),
        losses=pd.concat(rows, ignore_index=True).rename_axis("outer_step"),
        snapshots=torch.stack(snapshots).float(),
        snapshot_steps=steps,
    )


def _resampled(loop: OuterLoop, curves: Float[Tensor, "types points"], x: Float[Tensor, " n"]) -> Float[Tensor, "types n"]:
    """Return curves, given on the grid of a loop, at other points."""
    return torch.stack([Table(curve.cpu().double(), loop.settings.interval).value(x) for curve in curves])


def learn_unit(
    task: Task | Sequence[Task],
    seeds: Sequence[int],
    checkpoint: Path,
    mark: Mark | None,
    progress: bool,
    settings: Mapping[str, Any],
) -> list[LearnedActivations]:
    """Learn the activations of several meta-seeds at the same time.

    Parameters
    ----------
    task, seeds, progress, settings
        As in `metalearn`.
    checkpoint
        File to resume from and to write, in the folder of the run that started this unit.
    mark
        Mark of that run, for a unit that may run on another machine. If the mark cannot be read, the folder of that name is a
        different one, and no checkpoint is written. None for a unit on the same machine.
    """
    path = checkpoint if mark is None or mark.here else None
    return metalearn(task, seed=seeds, checkpoint=path, progress=progress, **settings)
