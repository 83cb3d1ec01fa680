"""compare: the same networks with different activations, trained alike and held against each other."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from numbers import Integral
from typing import Any

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.activations import Activation
from physlearn.activations.description import describe
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.forecasts import forecast_merits
from physlearn.comparison.lineup import Variants, line_up
from physlearn.comparison.result import Comparison
from physlearn.comparison.tuning import RATES, Tuned, tune
from physlearn.models import Classifier, Learner
from physlearn.tasks import Task
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import EngineName, EnsembleHistory, train_ensemble
from physlearn.training.loss import Reduction, accuracy, loss_of
from systems import InputError

FAR = 1_000_000  # seeds of the tuning networks begin here
APART = 10_000  # seeds of one meta-seed's networks and the next's


def compare(
    task: Task,
    learned: LearnedActivations | Sequence[LearnedActivations] | None = None,
    *,
    single: LearnedActivations | Sequence[LearnedActivations] | None = None,
    variants: Variants | None = None,
    replicates: int = 50,
    seed: int = 0,
    tuned: bool = True,
    rates: tuple[float, ...] = RATES,
    tuning_replicates: int = 6,
    forecast: bool = True,
    engine: EngineName = "auto",
    progress: bool = True,
    **training: Any,
) -> Comparison:
    """Train networks with each variant of activations from the same initial weights in the same batches, and score them.

    learned: activations, or those of several meta-seeds, whose networks are then apart. single: one learned type, as many
    times. variants: more, by name; by default tanh, ReLU and a mixture made by hand. replicates: networks of each variant (and
    meta-seed). tuned: choose the learning rate of each variant among ``rates`` on the tuning part, with
    ``tuning_replicates`` networks each; otherwise all take the task's, as the paper does. forecast: roll every network out,
    too, where the task has anything to forecast. training: ``epochs`` and other settings of `Training` instead of the task's.

    Each network keeps the weights of the epoch that does best on the validation part, and is scored on the test part: by its
    loss, and a classifier by its accuracy, too.

    >>> from physlearn import tasks
    >>> task = tasks.get("van-der-pol", orbits=5)
    >>> result = compare(task, variants={"sine": "sine"}, replicates=2, epochs=1, tuned=False, forecast=False, progress=False)
    >>> list(result.table.columns[:4])
    ['meta_seed', 'replicate', 'variant', 'loss']
    """
    if not isinstance(replicates, Integral) or replicates < 1:
        raise InputError(f"replicates must be at least 1, and a whole number, not {replicates}")
    if replicates > APART:
        raise InputError(f"there can be {APART} replicates, not {replicates}: beyond, meta-seeds would share networks")
    if not isinstance(seed, Integral) or abs(seed) >= 2**32:
        raise InputError(f"seed is a whole number below 2^32, not {seed}")
    if unknown := sorted(set(training) - set(Training.__dataclass_fields__)):
        raise InputError(f"compare has no setting {unknown[0]!r}")
    if tuned and "learning_rate" in training:
        raise InputError("the learning rate is what tuning chooses: give those to choose among as rates, or tuned=False")
    how = replace(task.training, **training)
    line_ups = _line_ups(learned, single, variants)
    for activation in {variant: activation for line in line_ups for variant, activation in line.items()}.values():
        task.network(activation)  # one that cannot be built is known before hours of training
    start = time.perf_counter()
    rows, curves, settings = [], [], {}
    total = sum(len(line) for line in line_ups) * (replicates + (len(rates) * tuning_replicates if tuned else 0))
    bar = tqdm(total=total, disable=not progress, unit="network", leave=False)
    forecasts = task.forecast if forecast and task.forecasting is not None else None
    data = {part: task.pairs(part) for part in ("training", "tuning", "validation", "test")}
    with bar:
        for meta_seed, line in enumerate(line_ups):
            first = first_seed(seed, meta_seed)
            for variant, activation in line.items():
                bar.set_description(f"comparing on {task.name}, {variant}")
                tuning = None
                if tuned:
                    tuning = tune(task, activation, how, data["training"], data["tuning"], rates=rates, seed=FAR + first,
                                  replicates=tuning_replicates, engine=engine, bar=bar)  # fmt: skip
                rate = how.learning_rate if tuning is None else tuning.learning_rate
                seeds = [first + k for k in range(replicates)]
                models = [task.network(activation, s) for s in seeds]
                history = train_ensemble(models, data["training"], data["validation"], replace(how, learning_rate=rate), seeds,
                                         engine=engine, progress=False)  # fmt: skip
                table = pd.DataFrame({"meta_seed": meta_seed, "replicate": range(replicates), "variant": variant})
                for name, score in _scores(models, data["test"], how.reduction).items():
                    table[name] = score
                table["validation_loss"] = history.best.double().numpy()
                table["diverged"] = history.diverged.numpy()
                table["learning_rate"] = rate
                if forecasts is not None:
                    for name, merit in forecast_merits(models, forecasts).items():
                        table[name] = merit.cpu().numpy()
                rows.append(table)
                curves.append(_curves(history, meta_seed, variant))
                settings[f"{variant} ({meta_seed})"] = _settings(activation, history, tuning)
                bar.update(replicates)
    lines = list(line_ups[0])
    return Comparison(
        task=task.name,
        title=task.title,
        table=pd.concat(rows, ignore_index=True),
        curves=pd.concat(curves, ignore_index=True),
        settings={
            "task": task.name,
            "model": task.model,
            "hidden": list(task.hidden),
            "replicates": replicates,
            "seed": seed,
            "training": asdict(how),
            "rates": list(rates) if tuned else None,
            "tuning_replicates": tuning_replicates if tuned else None,
            "integrators": list(forecasts.integrators) if forecasts is not None else [],
            "variants": settings,
            "learned": [dict(one.settings) for one in _several(learned)],
            "single": [dict(one.settings) for one in _several(single)],
        },
        seconds=time.perf_counter() - start,
        reference="mix" if "mix" in lines else lines[0],
    )


def first_seed(seed: int, meta_seed: int) -> int:
    """Of a meta-seed's networks, which count on from it."""
    return seed + APART * meta_seed


def _scores(models: Sequence[Learner], test: Pairs, reduction: Reduction) -> dict[str, list[float]]:
    """What each network is worth on pairs that it has not seen."""
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
    """The variants of each meta-seed."""
    many, alone = _several(learned), _several(single)
    if alone and len(alone) != max(1, len(many)):
        raise InputError(f"{len(many)} meta-seeds need as many single types, not {len(alone)}")
    runs = max(1, len(many))
    lines = []
    for k in range(runs):
        mine, control = (many[k] if many else None), (alone[k] if alone else None)
        if variants is None:
            lines.append(line_up(mine, control))
        else:
            own = line_up(mine, control, ()) if mine or control else {}
            if taken := [name for name in variants if name in own and own[name] != variants[name]]:
                raise InputError(f"the name {taken[0]!r} is that of learned activations: give the variant another")
            lines.append({**own, **variants})
    if not lines[0]:
        raise InputError("there is nothing to compare: give learned activations, or variants")
    if different := [k for k, line in enumerate(lines) if list(line) != list(lines[0])]:
        raise InputError(
            f"all meta-seeds need the same base and as many types: number {different[0]} has the variants "
            f"{', '.join(lines[different[0]])}, the first has {', '.join(lines[0])}"
        )
    return lines


def _curves(history: EnsembleHistory, meta_seed: int, variant: str) -> pd.DataFrame:
    """The quartiles of the validation loss over all networks, after each epoch."""
    losses = history.validation.double()
    losses = losses.where(~losses.isnan(), torch.inf)
    quartiles = losses.quantile(torch.tensor([0.25, 0.5, 0.75]).double(), dim=1)
    low, median, high = quartiles.where(~quartiles.isnan(), torch.inf).numpy()  # NaN lies between two infinities
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
