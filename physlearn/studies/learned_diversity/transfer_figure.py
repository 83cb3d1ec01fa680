"""Activations that were learned on one task, used in networks that learn another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.comparison.statistics import paired
from physlearn.studies.learned_diversity.figures import PAPER, Drawn, Request, register
from physlearn.studies.learned_diversity.study import FEW, compared, learned

REPLICATES = {True: 5, False: 20}  # per meta-seed, by whether to be quick
EPOCHS = {True: 5, False: 10}


@register("transfer")
def transfer(request: Request) -> Drawn:
    """Draw by how much learned activations lower the log loss compared with a sine, for each pair of tasks.

    A row of the matrix is the task on which they were learned, and a column the task on which they are used. The table has one
    row per pair of tasks: the mean difference of the log losses, mix minus sine, with its interval over meta-seeds and
    replicates.
    """
    size: dict[str, Any] = {"replicates": REPLICATES[request.quick], "epochs": EPOCHS[request.quick]}
    rows = []
    for source in PAPER:
        several = learned(request, request.task(source), meta_seeds=FEW)
        for target in PAPER:
            met = request.task(target)
            table = compared(request, met, several, tuned=False, forecast=False, variants={}, **size).table
            against = paired(table[table["variant"].isin(["mix", several[0].base])], "loss", "mix").iloc[0]
            rows.append({"source": source, "target": target, **against.to_dict()})
    table = pd.DataFrame(rows)
    figure, ax = plt.subplots(figsize=(8.2, 6.2), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    values, low, high = (_square(table, name) for name in ("difference", "difference_low", "difference_high"))
    plotting.labelled_matrix(
        values, PAPER, PAPER, ax=ax, sure=(low > 0) | (high < 0), label="log loss, learned mix minus sine"
    )
    ax.set(xlabel="networks learn", ylabel="activations were learned on")
    return Drawn(figure, table, {"meta_seeds": FEW[request.quick], **size})


def _square(table: pd.DataFrame, measure: str) -> np.ndarray:
    return table.pivot(index="source", columns="target", values=measure).loc[list(PAPER), list(PAPER)].to_numpy(float)
