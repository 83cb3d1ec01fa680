"""Attempts: ways to meta-learn, tried on other data and other seeds than those of the figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting, tasks
from physlearn.reproduction.figures import Drawn, Request, register
from physlearn.reproduction.study import REGIMES

OTHER_DATA = 1  # the seed of the task's data
OTHER_RUNS = 100  # the first meta-seed
COMPARING: dict[bool, dict[str, Any]] = {  # by whether it is to be quick
    True: {"replicates": 5, "epochs": 3},
    False: {"replicates": 30, "epochs": 10},
}
QUICK = {"outer_steps": 5, "inner_steps": 20}

_EVOLUTION: dict[str, Any] = {"variant": "evolution", "inner_learning_rate": (3e-3, 3e-2), "clip": None, "warm_up": 1}
_FINAL = {**_EVOLUTION, "schedule": "cosine", "held_out": True}
ATTEMPTS: dict[str, dict[str, dict[str, Any]]] = {
    "mnist1d": {
        "two stages": {"variant": "two-stage"},
        "held-out": {**_FINAL, "inner_steps": 266, "outer_steps": 150},
        "diverse start": {**_FINAL, "inner_steps": 266, "outer_steps": 150, "gain": 5.0},
        "from ReLU, diverse": {**_FINAL, "inner_steps": 266, "outer_steps": 150, "gain": 5.0, "base": "relu"},
        "held-out, larger steps": {**_FINAL, "inner_steps": 266, "outer_steps": 300, "outer_learning_rate": 0.03},
    },
    "henon-heiles-nn": {
        "two stages": {"variant": "two-stage"},
        "diverse start": {**_FINAL, "inner_steps": 660, "outer_steps": 150, "gain": 5.0},
        "held-out, larger steps": {**_FINAL, "inner_steps": 660, "outer_steps": 300, "outer_learning_rate": 0.03},
    },
}
"""What was tried, by task and name, as settings of `metalearn`."""


@register("attempts")
def attempts(request: Request) -> Drawn:
    """What came of each way to meta-learn: two types, and their mix.

    The data are of another seed than the figures', and the runs are others: what is chosen here is scored there on what
    nobody has seen. The table has a row a network: task, attempt, regime, and the columns of `Comparison.table`.
    """
    quick = request.quick
    tables = []
    for name, tried in ATTEMPTS.items():
        task = replace(tasks.get(name, seed=OTHER_DATA, device=request.device), learning={})
        for attempt, settings in tried.items():
            how = {**settings, **QUICK} if quick else settings
            learned = request.store.learned(task, OTHER_RUNS, types=2, **how)
            for regime, tuned in REGIMES[quick].items():
                result = request.store.compared(
                    task,
                    learned,
                    tuned=tuned,
                    forecast=False,
                    variants={"relu": "relu", "tanh": "tanh"},
                    **COMPARING[quick],
                )
                tables.append(result.table.assign(task=name, attempt=attempt, regime=regime))
    table = pd.concat(tables, ignore_index=True)
    figure, axes = plt.subplots(len(ATTEMPTS), 1, figsize=(10, 4.2 * len(ATTEMPTS)), layout="constrained")
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    for ax, name in zip(np.atleast_1d(axes), ATTEMPTS, strict=True):
        shown = table[(table["task"] == name) & (table["regime"] == table["regime"].iloc[-1])]
        measure = "accuracy" if shown["accuracy"].notna().any() else "loss"
        plotting.grouped_boxes(shown, measure, "attempt", ax=ax, labels=(name, measure))
        if measure == "loss":
            ax.set_yscale("log")
    settings = {name: {attempt: dict(how) for attempt, how in tried.items()} for name, tried in ATTEMPTS.items()}
    return Drawn(figure, table, {"attempts": settings, **COMPARING[quick]})
