"""A study of one task: several runs of meta-learning, and comparisons of the learned activations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from physlearn import tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, joined
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.results import Asked
from physlearn.tasks import Task

META_SEEDS = {True: 1, False: 8}  # runs of meta-learning, by whether to be quick
FEW = {True: 1, False: 4}  # runs that are used where computations are slow
LEARNING: dict[bool, dict[str, Any]] = {True: {"outer_steps": 110, "inner_steps": 198}, False: {}}
COMPARING: dict[bool, dict[str, Any]] = {
    True: {"replicates": 20, "epochs": 5, "forecast": False, "variants": {"relu": "relu", "tanh": "tanh"}},
    False: {"replicates": 50, "epochs": 10, "forecast": True},
}
REGIMES = {True: {"untuned": False}, False: {"untuned": False, "tuned": True}}


@dataclass(frozen=True)
class Study:
    """The results for one task.

    Parameters
    ----------
    task : Task
        The task.
    learned : list of LearnedActivations
        Two types from each meta-seed.
    single : list of LearnedActivations
        One type from each meta-seed, as a control.
    results : dict of str to Comparison
        The comparison over all meta-seeds in each regime: ``"untuned"`` with one learning rate for all variants, as in the
        paper, and ``"tuned"``.
    """

    task: Task
    learned: list[LearnedActivations]
    single: list[LearnedActivations]
    results: dict[str, Comparison]

    @property
    def base(self) -> str:
        """The function that the learned ones are compared with: that of the paper if only the results are known."""
        return self.learned[0].base if self.learned else "sine"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the comparison in each regime."""
        return {regime: dict(result.settings) for regime, result in self.results.items()}


def study(
    task: Task, request: Request, meta_seeds: Mapping[bool, int] = META_SEEDS, comparing: Mapping[str, Any] | None = None
) -> Study:
    """Learn activations with several meta-seeds, and compare them.

    The settings ``comparing`` replace the default settings of the comparisons.
    """
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
    """Compare in the regimes of short training, from meta-seed ``first`` on, with settings of `compare`."""
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
    """Return the learned activations of as many meta-seeds, starting at ``first``."""
    how = {"types": types, **LEARNING[request.quick], **settings}
    return request.results.several(task, range(first, first + meta_seeds[request.quick]), **how)


def compared(
    request: Request,
    task: Task,
    several: Sequence[LearnedActivations],
    control: Sequence[LearnedActivations] | None = None,
    first: int = 0,
    **settings: Any,
) -> Comparison:
    """Return one comparison over all meta-seeds, starting at ``first``, with or without a single type as control."""
    alone: Sequence[LearnedActivations | None] = control or [None] * len(several)
    pairs = enumerate(zip(several, alone, strict=True), first)
    return joined(request.results.comparisons(task, [Asked(two, one, k, settings) for k, (two, one) in pairs]))


def table_of(studies: Iterable[Study]) -> pd.DataFrame:
    """Return the results of every network: task, regime, and the columns of `Comparison.table`."""
    parts = {(one.task.name, regime): result.table for one in studies for regime, result in one.results.items()}
    return pd.concat(parts, names=["task", "regime"]).reset_index(["task", "regime"]).reset_index(drop=True)


def of_table(table: pd.DataFrame) -> list[Study]:
    """Return the studies whose results are in a table of `table_of`, without the learned activations."""
    plain = table.astype(dict.fromkeys(("task", "regime", "variant"), str))
    studies = []
    for task, results in plain.groupby("task", sort=False):
        found = {}
        for regime, own in results.groupby("regime", sort=False):
            scores = own.drop(columns=["task", "regime"]).dropna(axis="columns", how="all")
            found[str(regime)] = Comparison(str(task), str(task), scores, pd.DataFrame(), {}, 0.0, reference="mix")
        studies.append(Study(tasks.get(str(task)), [], [], found))
    return studies
