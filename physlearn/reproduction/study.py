"""Study: what several runs of meta-learning on a task gave, and what their activations are worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, joined
from physlearn.reproduction.figures import Request
from physlearn.tasks import Task

META_SEEDS = {True: 1, False: 4}  # runs of meta-learning, by whether it is to be quick
LEARNING: dict[bool, dict[str, Any]] = {True: {"outer_steps": 110}, False: {}}
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


def study(task: Task, request: Request, **settings: Any) -> Study:
    """Learn and compare as often as there are meta-seeds; settings: of the meta-learning, beside those of the size."""
    store, quick = request.store, request.quick
    learned, single = (
        [store.learned(task, k, types=types, **LEARNING[quick], **settings) for k in range(META_SEEDS[quick])]
        for types in (2, 1)
    )
    results = {
        regime: joined(
            [
                store.compared(task, two, one, k, tuned=tuned, **COMPARING[quick])
                for k, (two, one) in enumerate(zip(learned, single, strict=True))
            ]
        )
        for regime, tuned in REGIMES[quick].items()
    }
    return Study(task, learned, single, results)


def table_of(studies: Iterable[Study]) -> pd.DataFrame:
    """Every network: task, regime, and the columns of `Comparison.table`."""
    parts = {(one.task.name, regime): result.table for one in studies for regime, result in one.results.items()}
    return pd.concat(parts, names=["task", "regime"]).reset_index(["task", "regime"]).reset_index(drop=True)
