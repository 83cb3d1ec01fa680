"""Attempts to improve meta-learning: each change alone, then several together.

They use other data and other runs than those on which the result is scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from physlearn import tasks
from physlearn.comparison import Comparison
from physlearn.comparison.statistics import mean_log
from physlearn.metalearning import TWO_STAGE
from physlearn.plotting.variant_colors import variant_colors
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.study import REGIMES
from physlearn.tasks import Task

OTHER_DATA = 1  # seed of the data of the tasks
OTHER_RUNS = 100  # first meta-seed
RUNS = {True: 1, False: 2}  # number of runs of combined changes, by whether to be quick
COMPARING: dict[bool, dict[str, Any]] = {
    True: {"replicates": 5, "epochs": 3, "forecast": False, "variants": {}},
    False: {"replicates": 30, "epochs": 10, "forecast": False, "variants": {}},
}
QUICK = {"outer_steps": 5, "inner_steps": 20}
MARKS = {"sine": "o", "type 1": "v", "type 2": "^", "mix": "D"}

_POOL, _HIGH = TWO_STAGE
_FINAL: dict[str, Any] = {**_HIGH, "inner_learning_rate": (3e-3, 3e-2)}
_SHORT: dict[str, Any] = {
    "variant": "evolution",
    "outer_steps": 150,
    "inner_steps": 198,
    "inner_learning_rate": (3e-3, 3e-2),
    "clip": None,
    "warm_up": 1,
}
ALONE: dict[str, dict[str, Any]] = {
    "plain: unrolled, 66 inner steps, 16 networks": {},
    "1 network": {"networks": 1},
    "4 networks": {"networks": 4},
    "64 networks": {"networks": 64},
    "1000 outer steps": {"outer_steps": 1000},
    "outer rate does not fall": {"decay": False},
    "outer rate 0.03": {"outer_learning_rate": 0.03},
    "the last fifth counts": {"tail": 0.2},
    "held-out batches": {"held_out": True},
    "mean log loss": {"logarithm": True},
    "inner SGD": {"inner_optimizer": "sgd", "inner_learning_rate": 0.1},
    "inner RMSprop": {"inner_optimizer": "rmsprop", "inner_learning_rate": 1e-3},
    "inner rate 0.003": {"inner_learning_rate": 3e-3},
    "inner rate 0.03": {"inner_learning_rate": 3e-2},
    "inner rates 0.003 to 0.03": {"inner_learning_rate": (3e-3, 3e-2)},
    "inner rate learned along": {"learn_inner_rate": True},
    "inner rate falls": {"schedule": "cosine"},
    "200 inner steps": {"inner_steps": 200},
    "truncated, 200 inner steps": {"variant": "truncated", "inner_steps": 200},
    "first-order": {"variant": "first-order"},
    "first-order, 400 inner steps": {"variant": "first-order", "inner_steps": 400},
    "final step": {"variant": "final-step"},
    "from zero": {"base": "zero"},
    "from tanh": {"base": "tanh"},
    "diverse start": {"gain": 5.0},
    "narrow sub-networks": {"width": 10},
    "wide sub-networks": {"width": 200},
    "first-order from a pool": dict(_POOL),
    "evolution, 198 inner steps": dict(_SHORT),
    "evolution of the weights": {**_SHORT, "space": "weights"},
    "evolution with a reward for the mix's gain": {**_SHORT, "reward": 1.0},
    "evolution, held-out, falling rate": {**_SHORT, "held_out": True, "schedule": "cosine"},
}
"""Each change alone, as settings that differ from the plain method."""

AFFORDABLE = (
    "plain: unrolled, 66 inner steps, 16 networks",
    "1 network",
    "first-order",
    "final step",
    "first-order from a pool",
    "evolution, 198 inner steps",
    "evolution of the weights",
    "evolution with a reward for the mix's gain",
    "evolution, held-out, falling rate",
)
"""The changes that were also tried on a Hamiltonian network, whose unrolled gradients are slow."""

TOGETHER: dict[str, dict[str, Any]] = {
    "pool, evolution of 198 steps": {"stages": [_POOL, _SHORT]},
    "evolution of 660, held-out, falling rate": dict(_FINAL),
    "pool, evolution of 660, held-out, falling rate": {"stages": [_POOL, _FINAL]},
    "... not diverse at the start": {"stages": [{**_POOL, "gain": 1.0}, _FINAL]},
    "... 400 outer steps": {"stages": [_POOL, {**_FINAL, "outer_steps": 400}]},
    "... odd and even types": {"stages": [{**_POOL, "parity": True}, {**_FINAL, "parity": True}]},
    "... inner rates 0.01 to 0.15": {"stages": [_POOL, _HIGH]},
    "... inner rates 0.01 to 0.15, a reward for the mix's gain": {"stages": [_POOL, {**_HIGH, "reward": 0.3}]},
    "... inner rates 0.01 to 0.15, odd and even types": {"stages": [{**_POOL, "parity": True}, {**_HIGH, "parity": True}]},
}
"""Combined changes. The one with inner rates of 0.01 to 0.15, and nothing further, is the method of the tasks."""

_DIGITS = {**_FINAL, "inner_steps": 266, "outer_learning_rate": 0.01, "outer_steps": 150}
DIGITS: dict[str, dict[str, Any]] = {
    "pool, evolution of 198 steps": {"stages": [_POOL, _SHORT]},
    "held-out, falling rate": _DIGITS,
    "diverse start": {**_DIGITS, "gain": 5.0},
    "from ReLU, diverse": {**_DIGITS, "gain": 5.0, "base": "relu"},
    "larger steps": {**_DIGITS, "outer_steps": 300, "outer_learning_rate": 0.03},
}
ATTEMPTS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "attempts": {
        "van-der-pol": ALONE,
        "henon-heiles-hnn": {name: ALONE[name] for name in AFFORDABLE},
        "mnist1d": DIGITS,
    },
    "attempts-together": {"van-der-pol": TOGETHER, "henon-heiles-hnn": TOGETHER},
}
"""The attempts for each figure and task: settings of `metalearn` by name."""


@register("attempts")
def attempts(request: Request) -> Drawn:
    """Show the result of each change alone, in one run: two types and their mix.

    The data and the runs differ from those of the other figures, so what is chosen here is scored there on unseen data. The
    table has one row per network: task, attempt, regime, and the columns of `Comparison.table`.
    """
    return _drawn(request, "attempts", "Each change alone", runs=1)


@register("attempts-together")
def attempts_together(request: Request) -> Drawn:
    """Show the result of combined changes, in several runs."""
    return _drawn(request, "attempts-together", "Combined changes", RUNS[request.quick])


def _attempted(request: Request, task: Task, settings: Mapping[str, Any], meta_seed: int) -> dict[str, Comparison]:
    """Learn two types with the settings of an attempt, and compare them in each regime."""
    how = {**settings, **QUICK} if request.quick else settings
    learned = request.results.learned(task, meta_seed, types=2, **how)
    return {
        regime: request.results.compared(task, learned, None, meta_seed, tuned=tuned, **COMPARING[request.quick])
        for regime, tuned in REGIMES[request.quick].items()
    }


def _drawn(request: Request, name: str, title: str, runs: int) -> Drawn:
    tried = ATTEMPTS[name]
    table = _tried(request, tried, range(OTHER_RUNS, OTHER_RUNS + runs))
    return Drawn(picture(table), table, {"attempts": tried, **COMPARING[request.quick]}, to_markdown(table, title))


def _tried(request: Request, tried: Mapping[str, Mapping[str, Any]], meta_seeds: Iterable[int]) -> pd.DataFrame:
    """Return the results of every attempt in every run."""
    tables = []
    for name, group in tried.items():
        task = replace(tasks.get(name, seed=OTHER_DATA, device=request.device), learning={})
        for (attempt, settings), meta_seed in product(group.items(), meta_seeds):
            for regime, result in _attempted(request, task, settings, meta_seed).items():
                tables.append(result.table.assign(task=name, attempt=attempt, regime=regime, meta_seed=meta_seed))
    return pd.concat(tables, ignore_index=True)


def picture(table: pd.DataFrame) -> Figure:
    """Draw one row of panels per task and one column per regime."""
    names, regimes = list(table["task"].unique()), list(table["regime"].unique())
    heights = [1 + table.loc[table["task"] == name, "attempt"].nunique() for name in names]
    figure, axes = plt.subplots(
        len(names),
        len(regimes),
        figsize=(3.2 * len(regimes) + 3.2, 0.22 * sum(heights) + 2 * len(names)),
        height_ratios=heights,
        sharey="row",
        layout="constrained",
        squeeze=False,
    )
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    for row, name in zip(axes, names, strict=True):
        for ax, regime in zip(row, regimes, strict=True):
            _dots(table[(table["task"] == name) & (table["regime"] == regime)], ax)
            ax.set_title(f"{name}, {regime}", fontsize="medium")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(MARKS), frameon=False)
    return figure


def to_markdown(table: pd.DataFrame, title: str) -> str:
    """Return the mean log losses of every run of every attempt as Markdown tables."""
    means = (
        mean_log(table, ["task", "regime", "attempt", "meta_seed", "variant"]).unstack("variant").reindex(columns=list(MARKS))
    )
    lines = [f"# {title}", ""]
    for (task, regime), part in means.groupby(level=["task", "regime"], sort=False):
        lines += [f"## {task}, {regime}", "", "| attempt | run | " + " | ".join(MARKS) + " | mix minus the better type |"]
        lines.append("|" + "---|" * (3 + len(MARKS)))
        for _, row in part.reset_index().iterrows():
            gain = row["mix"] - min(row["type 1"], row["type 2"])
            cells = [
                row["attempt"],
                str(row["meta_seed"]),
                *("" if pd.isna(row[name]) else f"{row[name]:.2f}" for name in MARKS),
                f"{gain:+.2f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _dots(table: pd.DataFrame, ax: Axes) -> None:
    """Draw one row per attempt and one dot per run and variant."""
    means = mean_log(table, ["attempt", "meta_seed", "variant"]).unstack("variant")
    names = list(dict.fromkeys(table["attempt"]))
    colors = variant_colors(MARKS)
    for variant, mark in MARKS.items():
        if variant in means:
            y = [names.index(attempt) for attempt, _ in means.index]
            ax.plot(means[variant], y, mark, color=colors[variant], markersize=5, alpha=0.8, label=variant)
    ax.set_yticks(range(len(names)), names, fontsize=8)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="y", linewidth=0.3)
    ax.locator_params(axis="x", nbins=5)
    ax.set_xlabel("mean log test loss")
