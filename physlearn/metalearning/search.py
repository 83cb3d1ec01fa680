"""Search for activations: screen a pool of functions, combine the best, and polish the winners."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning import checkpoint as checkpoints
from physlearn.metalearning.combinations import extended, named, shares, singles
from physlearn.metalearning.halving import FACTORS, SCREENING, Candidate, best, best_rates, halve
from physlearn.metalearning.polish import POPULATION, few, polish
from physlearn.metalearning.pool import DICTIONARY, Pool, pool_of
from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trials import Trials
from physlearn.tasks import Task
from systems import InputError
from systems.scalars import seeded

POOL = 128  # functions in the pool, at least
FINALISTS = 4  # candidates that are judged again in the end
JUDGED = 2  # times the networks of the last rung
DECIDING, DECIDED = 3, 8  # finalists that are judged once more, and times the networks: of several, one is best by luck
SAVED = 5.0  # seconds between checkpoints
STAGES = {0: "single functions", 1: "pairs"}


@dataclass
class Progress:
    """The best candidate after each stage of a search, by the number of its types."""

    bar: tqdm[NoReturn]
    notes: dict[int, list[tuple[dict[str, float | str], torch.Tensor]]] = field(default_factory=dict)

    def note(self, stage: str, leader: Candidate) -> None:
        """Record the best candidate of a stage."""
        self.bar.set_postfix_str(f"{leader.name}, log loss {leader.score:.2f}")
        row: dict[str, float | str] = {"held_out": leader.score, "smoothed": leader.score, "stage": stage}
        self.notes.setdefault(len(leader.values), []).append((row, leader.values.float()))


def search_for(
    tasks: Sequence[Task], settings: SearchSettings, seeds: Sequence[int], path: Path | None, progress: bool
) -> list[LearnedActivations]:
    """Search once for each meta-seed.

    Parameters
    ----------
    tasks, progress
        As in `~physlearn.metalearn`.
    settings
        Settings of the search.
    seeds
        The meta-seeds.
    path
        Checkpoint, or None.

    Raises
    ------
    InputError
        If the number of types is to be chosen for several tasks, whose scores depend on the candidates that are compared.
    """
    if len(tasks) > 1 and len(settings.numbers) > 1:
        raise InputError(f"the number of types is chosen for one task, not for {len(tasks)}: leave fewest out")
    label = checkpoints.as_read({"task": described(tasks), "seeds": list(seeds), "search": asdict(settings)})
    logs = checkpoints.load(path, label)["logs"] if path is not None and path.exists() else []
    logs += [[] for _ in range(len(seeds) - len(logs))]
    saved = time.monotonic()
    found = []
    with tqdm(total=len(seeds) * len(tasks) * effort(settings), disable=not progress, unit="network", leave=False) as bar:
        bar.set_description(f"searching activations for {called(tasks)}")
        for k, seed in enumerate(seeds):

            def told(networks: int) -> None:
                nonlocal saved
                bar.update(networks)
                if path is not None and time.monotonic() - saved > SAVED:
                    checkpoints.save(path, label, {"logs": logs})
                    saved = time.monotonic()

            trials = Trials(tasks, settings, seed, logs[k], told)
            logs[k] = trials.log  # it grows while the search goes on
            found.append(_search(tasks, trials, seed, Progress(bar)))
            if path is not None:
                checkpoints.save(path, label, {"logs": logs})
    return found


def described(tasks: Sequence[Task]) -> dict[str, Any]:
    """Return what identifies the data of one task, or of several."""
    each = [task.describe("meta-training", "meta-validation") for task in tasks]
    return each[0] if len(each) == 1 else {"tasks": each}


def called(tasks: Sequence[Task]) -> str:
    """Return the name of a task, or the number of several.

    >>> from physlearn.tasks import get
    >>> called([get("van-der-pol"), get("pendulum-four-neurons")])
    '2 tasks'
    """
    return tasks[0].name if len(tasks) == 1 else f"{len(tasks)} tasks"


def effort(settings: SearchSettings, *, steps: bool = False) -> int:
    """Return about how many networks a search trains on each task, or the sum of their steps.

    Random search takes the steps of a search.
    """
    return sum(networks * (each if steps else 1) for networks, each in _planned(settings))


def _planned(settings: SearchSettings) -> list[tuple[int, int]]:
    """Return the number of networks of each part of a search, and the steps that each of them takes."""
    full, rates, several = settings.inner_steps, len(settings.learning_rates), len(settings.numbers)
    finalists = FINALISTS + 2 * several
    judging = ((finalists * len(FACTORS) * JUDGED + DECIDING * DECIDED) * settings.networks, full)
    if settings.variant == "random-search":
        return [(_random_tries(settings) * few(settings), full), judging]
    sizes = [len(named(settings.types))] if settings.variant == "named" else shares(settings.candidates, settings.types)
    plan = []
    for k, rung in enumerate(SCREENING):
        steps, networks = rung.trial(settings)
        plan.append((sum(sizes) * (rates if k < len(SCREENING) - 1 else len(FACTORS)) * networks, steps))
        sizes = [rung.count(size) for size in sizes]
    if settings.variant == "search":
        plan.append((settings.outer_steps * POPULATION * few(settings), full))
    return [*plan, judging]


def _random_tries(settings: SearchSettings) -> int:
    """Return the number of full trials with a few networks that take as many steps as all of a search but its judging."""
    *parts, _ = _planned(replace(settings, variant="search"))
    return max(FINALISTS, sum(networks * steps for networks, steps in parts) // (settings.inner_steps * few(settings)))


def _search(tasks: Sequence[Task], trials: Trials, seed: int, progress: Progress) -> LearnedActivations:
    settings, generator = trials.settings, seeded(seed)
    sizes = shares(settings.candidates, settings.types)
    x = torch.linspace(*settings.interval, settings.points, dtype=torch.float64)
    pool = pool_of(x, max(POOL, sizes[0]) - len(DICTIONARY), generator)
    if settings.variant == "random-search":
        levels = [_at_random(trials, pool, generator, progress)]
    else:
        levels = _screened(trials, pool, sizes, generator, progress)
    several, rivals = len(settings.numbers), []
    for k, ends in enumerate(levels[-several:]):
        rivals.append(best(ends, FINALISTS // several))
        if settings.variant == "search" and (generations := settings.outer_steps // several):
            rivals[-1] += polish(trials, ends[0], generations, 2 * (seed + k) + 1, partial(progress.note, "polishing"))
    judged = _judged(trials, rivals, FACTORS, JUDGED * settings.networks)
    deciding, others = judged[:DECIDING], judged[DECIDING:]
    alike = [[one for one in deciding if len(one.values) == types] for types in settings.numbers]
    judged = _judged(trials, alike, (1.0,), DECIDED * settings.networks) + others
    winner = judged[0]
    progress.note("judging", winner)
    rows, snapshots = zip(*progress.notes[len(winner.values)], strict=True)
    return LearnedActivations(
        values=winner.values.double(),
        base=next((one.name for one in judged if one.named and len(one.values) == len(winner.values)), "zero"),
        task=called(tasks),
        interval=settings.interval,
        settings={
            "variant": settings.variant,
            "seed": seed,
            "found": winner.name,
            "learning_rate": winner.rate,
            "log_loss": winner.score,
            "finalists": [[one.name, one.rate, one.score] for one in judged],
            "network_steps": trials.network_steps,
            "search": checkpoints.as_read(asdict(settings)),
            "title": tasks[0].title if len(tasks) == 1 else called(tasks),
            "model": " and ".join(sorted({task.model for task in tasks})),
            "hidden": list(tasks[0].hidden),
            **({"tasks": [task.name for task in tasks]} if len(tasks) > 1 else {}),
        },
        losses=pd.DataFrame(rows).rename_axis("outer_step"),
        snapshots=torch.stack(snapshots),
        snapshot_steps=list(range(len(snapshots))),
    )


def _judged(trials: Trials, rivals: Sequence[Sequence[Candidate]], factors: Sequence[float], networks: int) -> list[Candidate]:
    """Judge candidates after full trainings, those with the same number of types together; return the best first."""
    steps = trials.settings.inner_steps
    found = [one for alike in rivals if alike for one in best_rates(trials, alike, factors, steps, networks)]
    return sorted(found, key=lambda one: one.score)


def _screened(
    trials: Trials, pool: Pool, sizes: Sequence[int], generator: torch.Generator, progress: Progress
) -> list[list[Candidate]]:
    """Return the best combinations of 1, 2, ... and as many types as there are sizes; each level extends the one before."""
    if trials.settings.variant == "named":
        return [halve(trials, pool, named(len(sizes)), partial(progress.note, "named functions"))]
    levels: list[list[Candidate]] = []
    for k, size in enumerate(sizes):
        if k == 0:
            members = singles(pool, size)
        else:
            smaller = [pool.members(one.name) for one in levels[-1]]
            members = extended(pool, smaller, k + 1, size, generator)
        levels.append(halve(trials, pool, members, partial(progress.note, STAGES.get(k, f"{k + 1} types"))))
    return levels


def _at_random(trials: Trials, pool: Pool, generator: torch.Generator, progress: Progress) -> list[Candidate]:
    """Return random combinations at random learning rates, the best first."""
    settings = trials.settings
    low, high = math.log(min(settings.learning_rates)), math.log(max(settings.learning_rates))
    tried = []
    for _ in range(_random_tries(settings)):
        own = tuple(sorted(torch.randperm(len(pool.names), generator=generator)[: settings.types].tolist()))
        rate = math.exp(low + (high - low) * float(torch.rand(1, generator=generator)))
        tried.append(Candidate(pool.name(own), pool.values[list(own)], rate, named=pool.named(own)))
    values = torch.stack([one.values for one in tried])
    scores = trials.score(values, [one.rate for one in tried], settings.inner_steps, few(settings)).tolist()
    ends = sorted((replace(one, score=score) for one, score in zip(tried, scores, strict=True)), key=lambda one: one.score)
    progress.note("random search", ends[0])
    return ends
