"""Comparisons that are computed in parts, per meta-seed or per set of variants, and combined into one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from physlearn._version import __version__
from physlearn.activations.description import content
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.compare import compare, first_seed
from physlearn.comparison.finished import decided_by
from physlearn.comparison.result import Comparison
from physlearn.jobs.store import Files, Store, Unit, name_of
from physlearn.jobs.workers import Workers
from physlearn.source import digest_of_source
from physlearn.tasks import Task
from systems import InputError

COMPARISONS = Files(Comparison.save, Comparison.load)  # how a store keeps them
ALIKE = ("task", "training", "replicates", "seed")  # settings that must agree before variants can be compared


def joined(parts: Sequence[Comparison]) -> Comparison:
    """Join comparisons of different meta-seeds, as if they had been made together.

    Parameters
    ----------
    parts : sequence of Comparison
        Comparisons of the same task and variants, with the same training.

    Returns
    -------
    Comparison
        One comparison of all meta-seeds, numbered in the order of the parts.

    Raises
    ------
    InputError
        If the parts differ in task, variants or training, or there are none.
    """
    if not parts:
        raise InputError("there is no comparison to join: give at least one")
    first = parts[0]
    for part in parts[1:]:
        for what, its, asked in (
            ("task", part.task, first.task),
            ("variants", list(part.table["variant"].unique()), list(first.table["variant"].unique())),
            ("training", part.settings["training"], first.settings["training"]),
        ):
            if its != asked:
                raise InputError(f"joined comparisons must have the same {what}, not {asked} and {its}")
    tables, curves, before = [], [], 0
    variants: dict[str, Any] = {}
    for part in parts:
        meta_seeds = sorted(part.table["meta_seed"].unique())
        number = {meta_seed: before + k for k, meta_seed in enumerate(meta_seeds)}
        tables.append(part.table.assign(meta_seed=part.table["meta_seed"].map(number)))
        curves.append(part.curves.assign(meta_seed=part.curves["meta_seed"].map(number)))
        for variant in part.table["variant"].unique():
            for meta_seed, k in number.items():
                variants[f"{variant} ({k})"] = part.settings["variants"][f"{variant} ({meta_seed})"]
        before += len(meta_seeds)
    return replace(
        first,
        table=pd.concat(tables, ignore_index=True),
        curves=pd.concat(curves, ignore_index=True),
        settings={
            **first.settings,
            "variants": variants,
            "learned": [one for part in parts for one in part.settings["learned"]],
            "single": [one for part in parts for one in part.settings["single"]],
            "seeds": [part.settings["seed"] for part in parts],
        },
        seconds=sum(part.seconds for part in parts),
    )


def beside(parts: Sequence[Comparison]) -> Comparison:
    """Combine the variants of several comparisons, whose networks have the same initial weights and training.

    Parameters
    ----------
    parts : sequence of Comparison
        Comparisons of the same task and networks, with the same training. All but the first may lack meta-seeds.

    Returns
    -------
    Comparison
        One comparison of all variants. A measure that a part lacks, such as forecasts, is NaN for its variants.

    Raises
    ------
    InputError
        If the parts differ in task, training or networks, two of them have the same variant, or there are none.
    """
    if not parts:
        raise InputError("there is no comparison to combine: give at least one")
    first = parts[0]
    known = first.networks
    for part in parts[1:]:
        for what in ALIKE:
            if part.settings[what] != first.settings[what]:
                raise InputError(f"comparisons can be combined only if they have the same {what}")
        if not part.networks <= known:
            raise InputError("the first comparison must have all meta-seeds and replicates of the others, or more")
    names = [name for part in parts for name in part.table["variant"].unique()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"the variant {twice[0]!r} is in two of the comparisons, but must be in one")
    return replace(
        first,
        table=pd.concat([part.table for part in parts], ignore_index=True),
        curves=pd.concat([part.curves for part in parts], ignore_index=True),
        settings={**first.settings, "variants": {k: v for part in parts for k, v in part.settings["variants"].items()}},
        seconds=sum(part.seconds for part in parts),
    )


def compare_apart(
    task: Task,
    learned: Sequence[LearnedActivations],
    single: Sequence[LearnedActivations] | None = None,
    *,
    workers: Workers,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Comparison:
    """Compare over several meta-seeds, as `compare` does, with the meta-seeds distributed over workers.

    Parameters
    ----------
    task, learned, single
        As for `compare`, with one of the learned activations, and of the controls if there are any, for each meta-seed.
    workers : Workers
        Where the meta-seeds are computed.
    seed : int, default 0
        Random seed of the first network.
    folder : path, optional
        Receives the comparison of each meta-seed when it is finished. Only this process writes there.
    **settings
        All other arguments of `compare`.

    Returns
    -------
    Comparison
        The same result as that of `compare`.

    Raises
    ------
    InputError
        If there are not as many single types as meta-seeds, or `compare` raises it.
    """
    if single and len(single) != len(learned):
        raise InputError(
            f"{len(learned)} meta-seeds need as many single types, not {len(single)}: give one single type for each"
        )
    alone: Sequence[LearnedActivations | None] = single or [None] * len(learned)
    units = [(task, *pair, first_seed(seed, k), settings) for k, pair in enumerate(zip(learned, alone, strict=True))]
    if folder is None:
        done = dict(workers.each(_compare, units))
        return joined([done[k] for k in range(len(units))])
    of_task = decided_by(task, task.forecast if settings.get("forecast", True) and task.forecasting is not None else None)
    training = asdict(task.training)
    wanted = [Unit(_name(of_task, training, unit), {"seed": unit[3]}, unit) for unit in units]
    return joined(Store(Path(folder), COMPARISONS).get_all(_compare, wanted, workers))


def _name(of_task: Mapping[str, Any], training: Mapping[str, Any], unit: tuple[Any, ...]) -> str:
    """Return the name of a unit's result."""
    _, learned, single, seed, settings = unit
    curves = [[content(one.mix), one.base, one.settings] for one in (learned, single) if one is not None]
    variants = {name: content(activation) for name, activation in (settings.get("variants") or {}).items()}
    code = [__version__, digest_of_source()]
    decisive = [code, of_task, training, curves, seed, {**settings, "variants": variants, "progress": None}]
    return name_of(decisive)


def _compare(
    task: Task, learned: LearnedActivations, single: LearnedActivations | None, seed: int, settings: Mapping[str, Any]
) -> Comparison:
    return compare(task, learned, single=single, seed=seed, **settings)
