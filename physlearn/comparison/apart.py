"""Comparisons whose meta-seeds are units of work, each for itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from physlearn._version import __version__
from physlearn.activations.description import content
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.compare import compare, first_seed
from physlearn.comparison.finished import decided_by
from physlearn.comparison.joined import joined
from physlearn.comparison.result import Comparison
from physlearn.source import digest_of_source
from physlearn.sweeps.digest import digest
from physlearn.sweeps.seal import seal, whole
from physlearn.sweeps.workers import Workers
from physlearn.tasks import Task
from systems import InputError


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
    """What `compare` gives of several meta-seeds, which the workers share out; settings: all of its others.

    folder: keeps the comparison of each meta-seed as it is finished; this process alone writes there.

    Raises InputError where there are not as many singles as meta-seeds, and what `compare` raises.
    """
    if single and len(single) != len(learned):
        raise InputError(f"{len(learned)} meta-seeds need as many single types, not {len(single)}")
    alone: Sequence[LearnedActivations | None] = single or [None] * len(learned)
    units = [(task, *pair, first_seed(seed, k), settings) for k, pair in enumerate(zip(learned, alone, strict=True))]
    if folder is None:
        done = dict(workers.each(_compare, units))
        return joined([done[k] for k in range(len(units))])
    of_task = decided_by(task, task.forecast if settings.get("forecast", True) and task.forecasting is not None else None)
    training = asdict(task.training)
    places = [Path(folder) / _name(of_task, training, unit) for unit in units]
    missing = [k for k, place in enumerate(places) if not whole(place)]
    for number, made in workers.each(_compare, [units[k] for k in missing]):
        place = places[missing[number]]
        made.save(place)
        seal(place, {"seed": units[missing[number]][3]})
    return joined([Comparison.load(place) for place in places])


def _name(of_task: Mapping[str, Any], training: Mapping[str, Any], unit: tuple[Any, ...]) -> str:
    """Return a digest of all that decides a unit."""
    _, learned, single, seed, settings = unit
    curves = [[content(one.mix), one.base, one.settings] for one in (learned, single) if one is not None]
    variants = {name: content(activation) for name, activation in (settings.get("variants") or {}).items()}
    code = [__version__, digest_of_source()]
    decisive = [code, of_task, training, curves, seed, {**settings, "variants": variants, "progress": None}]
    return digest(decisive, length=24)


def _compare(
    task: Task, learned: LearnedActivations, single: LearnedActivations | None, seed: int, settings: Mapping[str, Any]
) -> Comparison:
    return compare(task, learned, single=single, seed=seed, **settings)
