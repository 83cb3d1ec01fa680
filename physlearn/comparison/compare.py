"""Train the same networks with different activations under equal conditions, and compare their losses."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from numbers import Integral
from pathlib import Path
from typing import Any, cast

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.activations import Activation
from physlearn.activations.description import describe
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.finished import Finished, Part, decided_by
from physlearn.comparison.forecasts import forecast_merits
from physlearn.comparison.result import Comparison
from physlearn.comparison.tuning import LEARNING_RATES, Criterion, Tuned, tune
from physlearn.comparison.variants import Variants, line_up
from physlearn.models import Classifier, Learner, Model
from physlearn.tasks import Task
from physlearn.tasks.task import Forecasting
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import EngineName, EnsembleHistory, train_ensemble
from physlearn.training.loss import Reduction, accuracy, loss_of
from systems import InputError
from systems.deprecation import renamed

FAR = 1_000_000  # offset of the seeds of the networks used for tuning
APART = 10_000  # distance between the seeds of successive meta-seeds, and so the largest number of replicates


@renamed(rates="learning_rates")
def compare(
    task: Task,
    learned: LearnedActivations | Sequence[LearnedActivations] | None = None,
    *,
    single: LearnedActivations | Sequence[LearnedActivations] | None = None,
    variants: Variants | None = None,
    replicates: int = 50,
    seed: int = 0,
    tuned: bool = True,
    learning_rates: tuple[float, ...] = LEARNING_RATES,
    tuning_replicates: int = 6,
    tuned_by: Criterion = "median",
    forecast: bool = True,
    engine: EngineName = "auto",
    folder: str | os.PathLike[str] | None = None,
    progress: bool = True,
    **training: Any,
) -> Comparison:
    """Train and score networks with each variant of activations.

    All variants start from the same initial weights and train on the same batches. Each network keeps the weights of the epoch
    with the lowest loss on the validation part. It is scored on the test part: by its loss, by its accuracy if it is a
    classifier, and by its forecasts.

    Parameters
    ----------
    task : Task
        What the networks learn.
    learned : LearnedActivations or sequence of LearnedActivations, optional
        Learned activations, or one for each meta-seed. Different meta-seeds use different networks.
    single : LearnedActivations or sequence of LearnedActivations, optional
        The control: a single learned type, or one for each meta-seed.
    variants : mapping of str to str or Activation, optional
        Further activations, by name. By default tanh, ReLU and a hand-made mixture, ``"sine+tanh"``.
    replicates : int, default 50
        Number of networks per variant and meta-seed.
    seed : int, default 0
        Random seed of the first network.
    tuned : bool, default True
        Whether to choose the learning rate of each variant on the tuning part. Otherwise, all variants use the learning rate
        of the task, as in the paper.
    learning_rates : tuple of float
        The learning rates to choose from; by default ten from 0.001 to 2.
    tuning_replicates : int, default 6
        Number of networks per learning rate.
    tuned_by : {'median', 'geometric mean'}
        Which tuning loss decides: the median of the networks, or their geometric mean, which also counts networks that end in
        a bad minimum. The geometric mean is what differences of the mean log loss compare.
    forecast : bool, default True
        Whether to roll out every network, if the task has anything to forecast.
    engine : str, default 'auto'
        The training engine.
    folder : path, optional
        Receives one file per variant and meta-seed as soon as its networks are finished. A comparison that was stopped resumes
        from these files, with the same result.
    progress : bool, default True
        Whether to show a progress bar.
    **training
        Settings of `~physlearn.training.Training`, such as ``epochs``, that replace those of the task.

    Returns
    -------
    Comparison
        The scores of all networks, and statistics over them.

    Raises
    ------
    InputError
        If a setting is unknown or out of range, or the activations of the meta-seeds do not match.

    Examples
    --------
    >>> from physlearn import tasks
    >>> task = tasks.get("van-der-pol", orbits=5)
    >>> result = compare(task, variants={"sine": "sine"}, replicates=2, epochs=1, tuned=False, forecast=False, progress=False)
    >>> list(result.table.columns[:4])
    ['meta_seed', 'replicate', 'variant', 'loss']
    """
    if not isinstance(replicates, Integral) or replicates < 1:
        raise InputError(f"replicates must be at least 1 and a whole number, not {replicates}")
    if replicates > APART:
        raise InputError(
            f"replicates must be at most {APART}, not {replicates}, because meta-seeds would otherwise share networks"
        )
    if not isinstance(seed, Integral) or abs(seed) >= 2**32:
        raise InputError(f"seed must be a whole number with a magnitude below 2^32, not {seed}")
    if unknown := sorted(set(training) - set(Training.__dataclass_fields__)):
        raise InputError(f"compare has no setting {unknown[0]!r}; besides its own, it takes those of Training")
    if tuned and "learning_rate" in training:
        raise InputError("tuning chooses the learning rate, so give the candidates as learning_rates, or set tuned=False")
    how = replace(task.training, **training)
    line_ups = _line_ups(learned, single, variants)
    for activation in {variant: activation for line in line_ups for variant, activation in line.items()}.values():
        task.network(activation)  # fails now, not after hours of training, if it cannot be built
    total = sum(len(line) for line in line_ups) * (replicates + (len(learning_rates) * tuning_replicates if tuned else 0))
    bar = tqdm(total=total, disable=not progress, unit="network", leave=False)
    forecasts = task.forecast if forecast and task.forecasting is not None else None
    data = {part: task.pairs(part) for part in ("training", "tuning", "validation", "test")}
    effort = {"rates": learning_rates, "replicates": tuning_replicates} if tuned else None  # as files name them
    if effort is not None and tuned_by != "median":
        effort["by"] = tuned_by
    common = {"replicates": replicates, "training": asdict(how), "engine": engine, "tuning": effort}
    finished = None if folder is None else Finished(Path(folder), {"task": decided_by(task, forecasts), **common})
    parts, settings = [], {}
    with bar:
        for meta_seed, line in enumerate(line_ups):
            first = first_seed(seed, meta_seed)
            for variant, activation in line.items():
                bar.set_description(f"comparing on {task.name}, {variant}")
                own = {"variant": variant, "meta_seed": meta_seed, "seed": first}
                part = finished.get(activation, **own) if finished else None
                if part is None:
                    seeds = range(first, first + replicates)
                    part = _part(task, activation, variant, meta_seed, seeds, how, effort, data, forecasts, engine)
                    if finished:
                        finished.keep(part, activation, **own)
                bar.update(replicates + (len(learning_rates) * tuning_replicates if tuned else 0))
                parts.append(part)
                settings[f"{variant} ({meta_seed})"] = part.settings
    lines = list(line_ups[0])
    return Comparison(
        task=task.name,
        title=task.title,
        table=pd.concat([part.table for part in parts], ignore_index=True),
        curves=pd.concat([part.curves for part in parts], ignore_index=True),
        settings={
            "task": task.name,
            "model": task.model,
            "hidden": list(task.hidden),
            "replicates": replicates,
            "seed": seed,
            "training": asdict(how),
            "rates": list(learning_rates) if tuned else None,
            "tuning_replicates": tuning_replicates if tuned else None,
            "tuned_by": tuned_by if tuned else None,
            "integrators": list(forecasts.methods) if forecasts is not None else [],
            "variants": settings,
            "learned": [dict(one.settings) for one in _several(learned)],
            "single": [dict(one.settings) for one in _several(single)],
        },
        seconds=sum(part.seconds for part in parts),
        reference="mix" if "mix" in lines else lines[0],
    )


def first_seed(seed: int, meta_seed: int) -> int:
    """Return the seed of a meta-seed's first network. The seeds of its other networks follow."""
    return seed + APART * meta_seed


def _part(
    task: Task,
    activation: str | Activation,
    variant: str,
    meta_seed: int,
    seeds: Sequence[int],
    how: Training,
    effort: Mapping[str, Any] | None,
    data: Mapping[str, Pairs],
    forecasts: Forecasting | None,
    engine: EngineName,
) -> Part:
    """Tune, train and score the networks of a variant and meta-seed."""
    start, tuning = time.perf_counter(), None
    if effort is not None:
        own = {"learning_rates": effort["rates"], "replicates": effort["replicates"], "seed": FAR + seeds[0]}
        own |= {"by": effort["by"]} if "by" in effort else {}
        tuning = tune(task, activation, how, data["training"], data["tuning"], engine=engine, **own)
        how = replace(how, learning_rate=tuning.learning_rate)
    models = [task.network(activation, s) for s in seeds]
    history = train_ensemble(models, data["training"], data["validation"], how, seeds, engine=engine, progress=False)
    table = pd.DataFrame({"meta_seed": meta_seed, "replicate": range(len(seeds)), "variant": variant})
    for name, score in _scores(models, data["test"], how.reduction).items():
        table[name] = score
    table["validation_loss"] = history.best.double().numpy()
    table["diverged"] = history.diverged.numpy()
    table["learning_rate"] = how.learning_rate
    if forecasts is not None:
        for name, merit in forecast_merits(cast(list[Model], models), forecasts).items():
            table[name] = merit.cpu().numpy()
    told = _settings(activation, history, tuning)
    return Part(table, _curves(history, meta_seed, variant), told, time.perf_counter() - start)


def _scores(models: Sequence[Learner], test: Pairs, reduction: Reduction) -> dict[str, list[float]]:
    """Return the scores of each network on pairs it was not trained on."""
    with torch.no_grad():
        given = [model(test.z) for model in models]
        scores = {"loss": [float(loss_of(m, g, test.target, reduction)) for m, g in zip(models, given, strict=True)]}
        if isinstance(models[0], Classifier):
            scores["accuracy"] = [float(accuracy(g, test.target)) for g in given]
    return scores


def _several(learned: LearnedActivations | Sequence[LearnedActivations] | None) -> list[LearnedActivations]:
    if learned is None:
        return []
    return [learned] if isinstance(learned, LearnedActivations) else list(learned)


def _line_ups(
    learned: LearnedActivations | Sequence[LearnedActivations] | None,
    single: LearnedActivations | Sequence[LearnedActivations] | None,
    variants: Mapping[str, str | Activation] | None,
) -> list[dict[str, str | Activation]]:
    """Return the variants of each meta-seed, by name."""
    many, alone = _several(learned), _several(single)
    if alone and len(alone) != max(1, len(many)):
        raise InputError(f"{len(many)} meta-seeds need as many single types, not {len(alone)}: give one single type for each")
    runs = max(1, len(many))
    lines = []
    for k in range(runs):
        mine, control = (many[k] if many else None), (alone[k] if alone else None)
        if variants is None:
            lines.append(line_up(mine, control))
        else:
            own = line_up(mine, control, ()) if mine or control else {}
            if taken := [name for name in variants if name in own and own[name] != variants[name]]:
                raise InputError(f"the variant name {taken[0]!r} is that of learned activations: choose another name")
            lines.append({**own, **variants})
    if not lines[0]:
        raise InputError("there is nothing to compare: give learned activations or variants")
    if different := [k for k, line in enumerate(lines) if list(line) != list(lines[0])]:
        raise InputError(
            f"all meta-seeds need the same base and as many types, but meta-seed {different[0]} has the variants "
            f"{', '.join(lines[different[0]])}, and the first has {', '.join(lines[0])}"
        )
    return lines


def _curves(history: EnsembleHistory, meta_seed: int, variant: str) -> pd.DataFrame:
    """Return the quartiles of the validation loss over all networks, after each epoch."""
    losses = history.validation.double()
    losses = losses.where(~losses.isnan(), torch.inf)
    quartiles = losses.quantile(torch.tensor([0.25, 0.5, 0.75]).double(), dim=1)
    low, median, high = quartiles.where(~quartiles.isnan(), torch.inf).numpy()  # two infinities interpolate to NaN
    return pd.DataFrame(
        {
            "meta_seed": meta_seed,
            "variant": variant,
            "step": [(epoch + 1) * history.steps for epoch in range(len(median))],
            "seconds": history.seconds.numpy(),
            "median": median,
            "low": low,
            "high": high,
        }
    )


def _settings(activation: str | Activation, history: EnsembleHistory, tuning: Tuned | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "activation": describe(activation),
        "engine": history.engines[0],
        "seconds": float(history.seconds[-1]),
        "diverged": int(history.diverged.sum()),
    }
    if tuning is not None:
        tried = {f"{rate:g}": loss if math.isfinite(loss) else None for rate, loss in tuning.tried.items()}
        told |= {"tried": tried, "at_the_edge": tuning.at_the_edge}
    return told
