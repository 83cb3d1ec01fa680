"""Study: what several runs of meta-learning on a task gave, and what their activations are worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, joined
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.store import Asked
from physlearn.tasks import Task

META_SEEDS = {True: 1, False: 8}  # runs of meta-learning, by whether it is to be quick
FEW = {True: 1, False: 4}  # those of them that go through what takes long
LEARNING: dict[bool, dict[str, Any]] = {True: {"outer_steps": 110, "inner_steps": 198}, False: {}}
COMPARING: dict[bool, dict[str, Any]] = {
    True: {"replicates": 20, "epochs": 5, "forecast": False, "variants": {"relu": "relu", "tanh": "tanh"}},
    False: {"replicates": 50, "epochs": 10, "forecast": True},
}
REGIMES = {True: {"untuned": False}, False: {"untuned": False, "tuned": True}}


@dataclass(frozen=True)
class Study:
    """What came of a task.

    learned, single: two types, and as the control one, of each meta-seed. results: by regime, ``"untuned"`` with one learning
    rate for all as in the paper, and ``"tuned"``, the comparison over all meta-seeds.
    """

    task: Task
    learned: list[LearnedActivations]
    single: list[LearnedActivations]
    results: dict[str, Comparison]

    @property
    def settings(self) -> dict[str, Any]:
        """Those of each regime's comparison."""
        return {regime: dict(result.settings) for regime, result in self.results.items()}


def study(
    task: Task, request: Request, meta_seeds: Mapping[bool, int] = META_SEEDS, comparing: Mapping[str, Any] | None = None
) -> Study:
    """Learn and compare as often as there are meta-seeds; comparing: settings of the comparisons instead of the size's."""
    several, control = (learned(request, task, types=types, meta_seeds=meta_seeds) for types in (2, 1))
    return short(request, task, several, control, **(COMPARING[request.quick] if comparing is None else comparing))


def short(
    request: Request,
    task: Task,
    several: list[LearnedActivations],
    control: list[LearnedActivations] | None = None,
    first: int = 0,
    **settings: Any,
) -> Study:
    """Compare in the regimes of short training; first: of the meta-seeds. settings: of the comparisons."""
    results = {
        regime: compared(request, task, several, control, first=first, tuned=tuned, **settings)
        for regime, tuned in REGIMES[request.quick].items()
    }
    return Study(task, several, control or [], results)


def learned(
    request: Request,
    task: Task,
    types: int = 2,
    meta_seeds: Mapping[bool, int] = META_SEEDS,
    first: int = 0,
    **settings: Any,
) -> list[LearnedActivations]:
    """The activations of as many meta-seeds, counted on from the first."""
    how = {"types": types, **LEARNING[request.quick], **settings}
    return request.store.several(task, range(first, first + meta_seeds[request.quick]), **how)


def compared(
    request: Request,
    task: Task,
    several: Sequence[LearnedActivations],
    control: Sequence[LearnedActivations] | None = None,
    first: int = 0,
    **settings: Any,
) -> Comparison:
    """One comparison over all meta-seeds, counted on from the first, with or without the control of one type."""
    alone: Sequence[LearnedActivations | None] = control or [None] * len(several)
    pairs = enumerate(zip(several, alone, strict=True), first)
    return joined(request.store.comparisons(task, [Asked(two, one, k, settings) for k, (two, one) in pairs]))


def table_of(studies: Iterable[Study]) -> pd.DataFrame:
    """Every network: task, regime, and the columns of `Comparison.table`."""
    parts = {(one.task.name, regime): result.table for one in studies for regime, result in one.results.items()}
    return pd.concat(parts, names=["task", "regime"]).reset_index(["task", "regime"]).reset_index(drop=True)
