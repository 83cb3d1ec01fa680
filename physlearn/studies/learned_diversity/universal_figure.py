"""The universal types as a figure: the learned pair, and its loss on every unseen system."""

from __future__ import annotations

import pandas as pd
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from physlearn.activations.learned import LearnedActivations
from physlearn.studies.learned_diversity import universal_evidence, universal_study
from physlearn.studies.learned_diversity.figures import Drawn, Request, register


@register("universal")
def universal(request: Request) -> Drawn:
    """Two types that are learned on a family of systems, against the usual functions on systems that no search has seen."""
    table = universal_study.scores(request)
    rows = universal_evidence.claims(table)
    settings = {
        "claims": rows.to_dict("records"),
        "learned from": [system.name for system in universal_study.drawn(request.quick)[0]],
        "found": {name: one.settings["found"] for name, one in universal_study.searched(request).items()},
    }
    drawn = picture(table, universal_study.searched(request)["pair"])
    return Drawn(drawn, table, settings, universal_evidence.to_markdown(rows))


def picture(table: pd.DataFrame, pair: LearnedActivations) -> Figure:
    """Draw the two types, and for each system the mean log loss of the pair minus that of each usual function."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(1, 1.8), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    x = torch.linspace(-6, 6, 401)
    for k, (one, line) in enumerate(zip(pair.types, ("-", "--"), strict=False)):
        left.plot(x, one(x).detach(), line, label=f"type {k + 1}")
    left.set(xlabel="x", ylabel="activation")
    left.legend()
    columns = universal_evidence.wide(table, "loss")
    means = columns.groupby("system", sort=False).mean()
    order = (means[universal_evidence.PAIR] - means[universal_evidence.BEST]).sort_values().index
    for rival, marker in zip(universal_study.USUAL, "o^s", strict=True):
        right.plot((means[universal_evidence.PAIR] - means[rival])[order].to_numpy(), marker, markersize=4, label=rival)
    right.axhline(0, color="0.5", linewidth=0.8)
    right.set(xlabel="systems, sorted", ylabel="log loss of the pair minus that of the rival")
    right.legend(title="rival, tuned")
    return figure
