"""Comparisons whose meta-seeds are units of work, each for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.compare import compare, first_seed
from physlearn.comparison.joined import joined
from physlearn.comparison.result import Comparison
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
    **settings: Any,
) -> Comparison:
    """What `compare` gives of several meta-seeds, which the workers share out; settings: all of its others.

    Raises InputError where there are not as many singles as meta-seeds, and what `compare` raises.
    """
    if single and len(single) != len(learned):
        raise InputError(f"{len(learned)} meta-seeds need as many single types, not {len(single)}")
    alone: Sequence[LearnedActivations | None] = single or [None] * len(learned)
    units = [(task, *pair, first_seed(seed, k), settings) for k, pair in enumerate(zip(learned, alone, strict=True))]
    done = dict(workers.each(_compare, units))
    return joined([done[k] for k in range(len(units))])


def _compare(
    task: Task, learned: LearnedActivations, single: LearnedActivations | None, seed: int, settings: Mapping[str, Any]
) -> Comparison:
    return compare(task, learned, single=single, seed=seed, **settings)
