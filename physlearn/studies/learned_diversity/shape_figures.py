"""Figure 4, and a related statement in the text of the paper: networks of other widths and depths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.studies.learned_diversity.digit_figures import RIVALS
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.study import FEW, compared, learned, study
from physlearn.tasks import Task

SIZES = {True: (10, 30, 100), False: (10, 20, 50, 100, 200)}  # numbers of neurons, by whether to be quick
DEPTHS = {True: (1, 2), False: (1, 2, 3)}  # numbers of hidden layers
WIDTH = {True: 20, False: 50}  # neurons per layer of deep networks
INITIALISATIONS = {True: 10, False: 25}  # per meta-seed; 100 in total, as in the paper
BASES = {True: ("zero",), False: ("zero", "sine")}


@register("fig4")
def sizes(request: Request) -> Drawn:
    """Draw the accuracy against the number of neurons, with activations that were grown from zero and from a sine."""
    task, quick = request.task("mnist1d"), request.quick
    settings = settings_of(request, task)
    tables = [
        accuracies(request, task, base, (size,), settings).assign(base=base, neurons=size)
        for base in BASES[quick]
        for size in SIZES[quick]
    ]
    table = pd.concat(tables, ignore_index=True)
    columns = len(BASES[quick])
    figure, axes = plt.subplots(1, columns, figsize=(8.5 * columns, 4.4), layout="constrained", squeeze=False)
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    for ax, base in zip(axes[0], BASES[quick], strict=True):
        shown = table[
            (table["base"] == base) & (table["variant"] != "zero")
        ]  # networks with the zero activation learn nothing
        plotting.grouped_boxes(shown, "accuracy", "neurons", ax=ax, labels=("neurons $N$", "accuracy $A$"))
        ax.text(0.01, 0.97, f"activations grown from {base}", transform=ax.transAxes, va="top")
    return Drawn(figure, table, settings)


@register("depth")
def depths(request: Request) -> Drawn:
    """Draw the accuracy against the number of hidden layers, with activations learned in networks of one hidden layer."""
    task, quick = request.task("mnist1d"), request.quick
    settings, width = settings_of(request, task), WIDTH[quick]
    tables = [accuracies(request, task, "sine", (width,) * n, settings).assign(layers=n) for n in DEPTHS[quick]]
    table = pd.concat(tables, ignore_index=True)
    figure, ax = plt.subplots(figsize=(8.5, 4.4), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    plotting.grouped_boxes(table, "accuracy", "layers", ax=ax, labels=("hidden layers", "accuracy $A$"))
    return Drawn(figure, table, {**settings, "width": width})


def accuracies(request: Request, task: Task, base: str, hidden: tuple[int, ...], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return the scores of networks of one shape: each type, their mix, their base and the traditional activations."""
    return compared(request, replace(task, hidden=hidden), learned(request, task, meta_seeds=FEW, base=base), **settings).table


def settings_of(request: Request, task: Task) -> dict[str, Any]:
    """Return the settings of the comparisons, with one learning rate for all variants.

    It is the median of the learning rates that suit the variants best at 100 neurons.
    """
    tuned = list(study(task, request).results.values())[-1].table
    return {
        "tuned": False,
        "learning_rate": float(tuned.groupby("variant")["learning_rate"].median().median()),
        "replicates": INITIALISATIONS[request.quick],
        "variants": {name: name for name in RIVALS},
    }
