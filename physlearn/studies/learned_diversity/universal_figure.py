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
    learned, tested = universal_study.drawn(request.quick)
    found = universal_study.searched(request, learned)
    table = universal_study.scores(request, tested, found)
    pairs = (universal_evidence.PAIR, universal_evidence.NAMED_PAIR)
    rows = {pair: universal_evidence.claims(table, pair) for pair in pairs}
    settings = {
        "claims": {pair: own.to_dict("records") for pair, own in rows.items()},
        "learned from": [system.name for system in learned],
        "found": {name: one.settings["found"] for name, one in found.items()},
    }
    drawn = picture(table, found["pair"])
    text = "\n".join(universal_evidence.to_markdown(own, pair) for pair, own in rows.items())
    return Drawn(drawn, table, settings, text)


def picture(table: pd.DataFrame, pair: LearnedActivations) -> Figure:
    """Draw the two learned types, and for each system how much better both pairs are than the best usual function."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(1, 1.8), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    x = torch.linspace(-6, 6, 401)
    for k, (one, line) in enumerate(zip(pair.types, ("-", "--"), strict=False)):
        left.plot(x, one(x).detach(), line, label=f"type {k + 1}")
    left.set(xlabel="x", ylabel="activation")
    left.legend(title="learned pair")
    means = universal_evidence.wide(table, "loss").groupby("system", sort=False).mean()
    best = means[universal_evidence.BEST]
    order = (means[universal_evidence.PAIR] - best).sort_values().index
    for variant, marker in ((universal_evidence.PAIR, "o"), (universal_evidence.NAMED_PAIR, "^"), ("single", "s")):
        right.plot((means[variant] - best)[order].to_numpy(), marker, markersize=5, fillstyle="none", label=variant)
    right.axhline(0, color="0.5", linewidth=0.8)
    right.set(xlabel="unseen systems, sorted", ylabel=f"log loss minus that of the {universal_evidence.BEST}")
    right.legend()
    return figure
