"""Activations that were learned on one task, in networks that learn another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.comparison import joined
from physlearn.comparison.statistics import paired
from physlearn.reproduction.figures import Drawn, Request, register
from physlearn.reproduction.study import LEARNING, META_SEEDS
from physlearn.reproduction.tasks_of_the_paper import tasks_of_the_paper

REPLICATES = {True: 5, False: 20}  # of each meta-seed, by whether it is to be quick
EPOCHS = {True: 5, False: 10}


@register("transfer")
def transfer(request: Request) -> Drawn:
    """How much lower than with a sine the loss is: a row of the picture a task that was learned on, a column one that is met.

    The table has a row a pair of tasks: the mean difference of the log losses, mix minus sine, with its interval over
    meta-seeds and replicates.
    """
    store, quick = request.store, request.quick
    known = tasks_of_the_paper(request)
    rows = []
    for source, learned_on in known.items():
        several = [store.learned(learned_on, k, types=2, **LEARNING[quick]) for k in range(META_SEEDS[quick])]
        for target, met in known.items():
            parts = [
                store.compared(met, one, None, k, tuned=False, forecast=False, variants={}, **_size(quick))
                for k, one in enumerate(several)
            ]
            table = joined(parts).table
            against = paired(table[table["variant"].isin(["mix", several[0].base])], "loss", "mix").iloc[0]
            rows.append({"source": source, "target": target, **against.to_dict()})
    table = pd.DataFrame(rows)
    figure, ax = plt.subplots(figsize=(8.2, 6.2), layout="constrained")
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    values, low, high = (_square(table, name, list(known)) for name in ("difference", "difference_low", "difference_high"))
    plotting.labelled_matrix(
        values, list(known), list(known), ax=ax, sure=(low > 0) | (high < 0), label="log loss, learned mix minus sine"
    )
    ax.set(xlabel="networks learn", ylabel="activations were learned on")
    return Drawn(figure, table, {"meta_seeds": META_SEEDS[quick], **_size(quick)})


def _size(quick: bool) -> dict[str, Any]:
    return {"replicates": REPLICATES[quick], "epochs": EPOCHS[quick]}


def _square(table: pd.DataFrame, measure: str, names: list[str]) -> np.ndarray:
    return table.pivot(index="source", columns="target", values=measure).loc[names, names].to_numpy(float)
