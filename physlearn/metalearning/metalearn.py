"""metalearn: from a task to activations that suit it."""

from __future__ import annotations

import json
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

from physlearn.activations.learned import LearnedActivations
from physlearn.activations.table import INTERVAL, POINTS, Table
from physlearn.metalearning import checkpoint as checkpoints
from physlearn.metalearning.outer import OuterLoop
from physlearn.metalearning.settings import MetaLearning
from physlearn.tasks import Task
from systems import InputError

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
        "inner_steps": 660,  # the 10 epochs of a comparison
        "inner_learning_rate": (1e-2, 0.15),
        "schedule": "cosine",
        "held_out": True,
        "outer_learning_rate": 0.03,
        "clip": None,
        "warm_up": 1,
    },
)
"""A first-order start from a pool of networks of all ages, then evolution on the true objective: the loss on pairs that were
not trained on, after a training just as the activations will see one."""


@overload
def metalearn(task: Task, *, seed: int = 0, **settings: Any) -> LearnedActivations: ...
@overload
def metalearn(task: Task, *, seed: Sequence[int], **settings: Any) -> list[LearnedActivations]: ...


def metalearn(
    task: Task,
    *,
    types: int | None = None,
    base: str | None = None,
    variant: str | None = None,
    outer_steps: int | None = None,
    inner_steps: int | None = None,
    networks: int | None = None,
    seed: int | Sequence[int] = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
    **settings: Any,
) -> LearnedActivations | list[LearnedActivations]:
    """Meta-learn activation functions for a task, as Algorithm 1 of *Neural networks embrace learned diversity* does.

    variant: ``"unrolled"``, ``"truncated"``, ``"first-order"``, ``"final-step"``, ``"evolution"``, or ``"two-stage"``, which
    is the stages of `TWO_STAGE`. stages: settings of several, each of which goes on from the best curves of the one before;
    what is given beside them holds for all, but outer_steps are shared out, and inner_steps are the last one's. seed: one, or
    several, whose runs go side by side, vectorised, without influence on each other, and come back as a list. checkpoint:
    a file that is written every 20 outer steps, and gone on from where it is there: the result is the same, bit for bit, as
    that of a run that was not interrupted. The other settings are those of `MetaLearning`; where they are not given, the
    task's own hold, unless another variant than the task's is asked for.

    Gives the curves with the best smoothed held-out loss, captured on [-10, 10] at 100 points.

    Raises InputError, or UnknownNameError, for settings that do not exist or cannot be.

    >>> from physlearn import tasks
    >>> task = tasks.get("van-der-pol", orbits=5)
    >>> metalearn(task, outer_steps=2, inner_steps=3, networks=2, variant="unrolled", progress=False)
    LearnedActivations(2 types from sine on van-der-pol, unrolled; cubic on [-10, 10] at 100 points)
    """
    if not isinstance(task, Task):
        raise InputError(f"metalearn needs a task, as tasks.get('van-der-pol') gives, not {task!r}")
    given = {"types": types, "base": base, "variant": variant, "outer_steps": outer_steps, "inner_steps": inner_steps,
             "networks": networks}  # fmt: skip
    chosen = settings_for(task, {**{name: value for name, value in given.items() if value is not None}, **settings})
    seeds = _checked(list(seed) if isinstance(seed, Sequence) and not isinstance(seed, str) else [seed])
    stages = stages_of(chosen)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent} for the checkpoint")
    label = {
        "task": task.describe("meta-training", "meta-validation"),
        "seeds": seeds,
        "stages": [asdict(stage) for stage in stages],
    }
    learned = _run(task, stages, seeds, label, path, progress)
    return learned if isinstance(seed, Sequence) else learned[0]


def _checked(seeds: Sequence[Any]) -> list[int]:
    if not seeds or not all(isinstance(seed, Integral) and abs(int(seed)) < 2**32 for seed in seeds):
        raise InputError(f"seed is a whole number below 2^32, or several, not {', '.join(map(repr, seeds)) or 'none'}")
    if len(set(seeds)) < len(seeds):
        raise InputError(f"the seeds must differ, not {seeds}")
    return [int(seed) for seed in seeds]


def settings_for(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, and where nothing was the task's own settings, which hold for its own variant only."""
    other = "stages" in given or given.get("variant", task.learning.get("variant")) != task.learning.get("variant")
    return {**({} if other else task.learning), **given}


def stages_of(chosen: Mapping[str, Any]) -> list[MetaLearning]:
    """The settings of each stage: one, or those that were given or are a preset's, with what was chosen for all instead."""
    common = dict(chosen)
    parts = common.pop("stages", None)
    if common.get("variant") == "two-stage":
        if parts is not None:
            raise InputError("variant 'two-stage' has stages of its own: give one of the two")
        common.pop("variant")
        parts = TWO_STAGE
    if parts is None:
        parts = [{}]
    if isinstance(parts, Mapping) or not parts or not all(isinstance(part, Mapping) for part in parts):
        raise InputError(f"stages are the settings of each, one after another, not {parts!r}")
    for part in (common, *parts):
        _check_names(part)
    total, steps = common.pop("outer_steps", None), common.pop("inner_steps", None)
    variant = {"variant": common.pop("variant")} if "variant" in common else {}
    stages = [MetaLearning(**{**variant, **part, **common}) for part in parts]
    for name in ("types", "base", "width", "parity"):
        if len({getattr(stage, name) for stage in stages}) > 1:
            raise InputError(f"stages work on the same curves: they cannot differ in {name}")
    if total is not None:
        stages = [replace(stage, outer_steps=n) for stage, n in zip(stages, _shared_out(total, stages), strict=True)]
    if steps is not None:
        stages[-1] = replace(stages[-1], inner_steps=steps)
    return stages


def _check_names(settings: Mapping[str, Any]) -> None:
    if unknown := sorted(set(settings) - set(MetaLearning.__dataclass_fields__)):
        raise InputError(
            f"metalearn has no setting {unknown[0]!r}; it has {', '.join(MetaLearning.__dataclass_fields__)}, stages"
        )


def _shared_out(total: int, stages: Sequence[MetaLearning]) -> list[int]:
    """So many outer steps in the proportions of the stages, at least one for each."""
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
    label = json.loads(json.dumps(label))  # as it comes back from a file
    state = checkpoints.load(path, label) if path is not None and path.exists() else {"finished": [], "under_way": None}
    neurons = None
    loops: list[OuterLoop] = []
    bar = tqdm(total=sum(stage.outer_steps for stage in stages), disable=not progress, unit="step", leave=False)
    with bar:
        for k, stage in enumerate(stages):
            loop = OuterLoop(task, stage, [seed + 1000 * k for seed in seeds], neurons)
            if k < len(state["finished"]):
                loop.resume(state["finished"][k])
            elif state["under_way"] is not None:
                loop.resume(state["under_way"])
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
        base=last.settings.base,
        task=task.name,
        settings=json.loads(json.dumps(settings)),  # as they come back from a file
        losses=pd.concat(rows, ignore_index=True).rename_axis("outer_step"),
        snapshots=torch.stack(snapshots).float(),
        snapshot_steps=steps,
    )


def _resampled(loop: OuterLoop, curves: Float[Tensor, "types points"], x: Float[Tensor, " n"]) -> Float[Tensor, "types n"]:
    """Curves on the grid of a loop at other points."""
    return torch.stack([Table(curve.cpu().double(), loop.settings.interval).value(x) for curve in curves])


if TYPE_CHECKING:
    from physlearn.jobs.lock import Mark


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
