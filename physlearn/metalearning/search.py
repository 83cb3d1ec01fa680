"""Search for activations: screen a pool of functions, combine the best, and polish the winners."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning import checkpoint as checkpoints
from physlearn.metalearning.combinations import extended, named, shares, singles
from physlearn.metalearning.halving import AT_LEAST, FACTORS, SCREENING, Candidate, best_named, best_rates, halve
from physlearn.metalearning.polish import NETWORKS, POPULATION, polish
from physlearn.metalearning.pool import DICTIONARY, Pool, pool_of
from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trials import Trials
from physlearn.tasks import Task
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

    def note(self, stage: str, best: Candidate) -> None:
        """Record the best candidate of a stage."""
        self.bar.set_postfix_str(f"{best.name}, log loss {best.score:.2f}")
        row: dict[str, float | str] = {"held_out": best.score, "smoothed": best.score, "stage": stage}
        self.notes.setdefault(len(best.values), []).append((row, best.values.float()))


def search_for(
    task: Task, settings: SearchSettings, seeds: Sequence[int], path: Path | None, progress: bool
) -> list[LearnedActivations]:
    """Search once for each meta-seed.

    Parameters
    ----------
    task, progress
        As in `~physlearn.metalearn`.
    settings
        Settings of the search.
    seeds
        The meta-seeds.
    path
        Checkpoint, or None.
    """
    described = task.describe("meta-training", "meta-validation")
    label = _as_read({"task": described, "seeds": list(seeds), "search": asdict(settings)})
    logs = checkpoints.load(path, label)["logs"] if path is not None and path.exists() else []
    logs += [[] for _ in range(len(seeds) - len(logs))]
    saved = time.monotonic()
    found = []
    with tqdm(total=len(seeds) * effort(settings), disable=not progress, unit="network", leave=False) as bar:
        bar.set_description(f"searching activations for {task.name}")
        for k, seed in enumerate(seeds):

            def told(networks: int) -> None:
                nonlocal saved
                bar.update(networks)
                if path is not None and time.monotonic() - saved > SAVED:
                    checkpoints.save(path, label, {"logs": logs})
                    saved = time.monotonic()

            trials = Trials(task, settings, seed, logs[k], told)
            logs[k] = trials.log  # it grows while the search goes on
            found.append(_search(task, trials, seed, Progress(bar)))
            if path is not None:
                checkpoints.save(path, label, {"logs": logs})
    return found


def effort(settings: SearchSettings, *, steps: bool = False) -> int:
    """Return about how many networks a search trains, or the sum of their steps. Random search has the effort of a search."""
    sizes, rates, screening = shares(settings.candidates, settings.types), len(settings.learning_rates), 0.0
    if settings.variant == "named":
        sizes = [len(named(settings.types))]
    for k, rung in enumerate(SCREENING):
        tries = rates if k < len(SCREENING) - 1 else len(FACTORS)
        networks = sum(sizes) * tries * max(2, round(rung.networks * settings.networks))
        screening += networks * (max(1, round(rung.steps * settings.inner_steps)) if steps else 1)
        sizes = [max(AT_LEAST, round(rung.kept * size)) for size in sizes]
    polishing = settings.outer_steps * POPULATION * max(2, round(NETWORKS * settings.networks))
    judging = _judging(settings)
    full = judging + (polishing if settings.variant in ("search", "random-search") else 0)
    if settings.variant == "random-search" and not steps:
        return judging + _random_tries(settings) * _few(settings)
    return round(screening + full * (settings.inner_steps if steps else 1))


def _judging(settings: SearchSettings) -> int:
    return ((FINALISTS + 2) * len(FACTORS) * JUDGED + DECIDING * DECIDED) * settings.networks


def _few(settings: SearchSettings) -> int:
    return max(2, round(NETWORKS * settings.networks))


def _random_tries(settings: SearchSettings) -> int:
    """Return the number of full trials with a few networks that random search can afford."""
    judging = _judging(settings) * settings.inner_steps
    return max(FINALISTS, (effort(settings, steps=True) - judging) // (settings.inner_steps * _few(settings)))


def _search(task: Task, trials: Trials, seed: int, progress: Progress) -> LearnedActivations:
    settings, generator = trials.settings, seeded(seed)
    sizes = shares(settings.candidates, settings.types)
    x = torch.linspace(*settings.interval, settings.points, dtype=torch.float64)
    pool = pool_of(x, max(POOL, sizes[0]) - len(DICTIONARY), generator)
    if settings.variant == "random-search":
        ends = _at_random(trials, pool, generator, progress)
    else:
        ends = _screened(trials, pool, sizes, generator, progress)
    rivals = ends[:FINALISTS] + ([] if any(one.named for one in ends[:FINALISTS]) else best_named(ends))
    if settings.variant == "search" and settings.outer_steps:
        rivals += polish(trials, ends[0], settings.outer_steps, 2 * seed + 1, partial(progress.note, "polishing"))
    judged = best_rates(trials, rivals, FACTORS, settings.inner_steps, JUDGED * settings.networks)
    judged = (
        best_rates(trials, judged[:DECIDING], (1.0,), settings.inner_steps, DECIDED * settings.networks) + judged[DECIDING:]
    )
    best = judged[0]
    progress.note("judging", best)
    rows, snapshots = zip(*progress.notes[settings.types], strict=True)
    return LearnedActivations(
        values=best.values.double(),
        base=next((one.name for one in best_named(judged)), "zero"),
        task=task.name,
        interval=settings.interval,
        settings={
            "variant": settings.variant,
            "seed": seed,
            "found": best.name,
            "learning_rate": best.rate,
            "log_loss": best.score,
            "finalists": [[one.name, one.rate, one.score] for one in judged],
            "network_steps": trials.network_steps,
            "search": _as_read(asdict(settings)),
            "title": task.title,
            "model": task.model,
            "hidden": list(task.hidden),
        },
        losses=pd.DataFrame(rows).rename_axis("outer_step"),
        snapshots=torch.stack(snapshots),
        snapshot_steps=list(range(len(snapshots))),
    )


def _screened(
    trials: Trials, pool: Pool, sizes: Sequence[int], generator: torch.Generator, progress: Progress
) -> list[Candidate]:
    """Return the best combinations of as many types as there are sizes; each level extends the best of the one before."""
    if trials.settings.variant == "named":
        return halve(trials, pool, named(len(sizes)), partial(progress.note, "named functions"))
    ends: list[Candidate] = []
    for k, size in enumerate(sizes):
        if k == 0:
            members = singles(pool, size)
        else:
            smaller = [pool.members(one.name) for one in ends]
            members = extended(pool, smaller, k + 1, size, generator)
        ends = halve(trials, pool, members, partial(progress.note, STAGES.get(k, f"{k + 1} types")))
    return ends


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
    scores = trials.score(values, [one.rate for one in tried], settings.inner_steps, _few(settings)).tolist()
    ends = sorted((replace(one, score=score) for one, score in zip(tried, scores, strict=True)), key=lambda one: one.score)
    progress.note("random search", ends[0])
    return ends


def _as_read(content: Mapping[str, object]) -> dict[str, object]:
    """Return the content as it would be read from a file."""
    return dict(json.loads(json.dumps(content)))
