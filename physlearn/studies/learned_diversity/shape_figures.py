"""Figure 4, and what the paper says beside it: networks of other widths and depths."""

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

SIZES = {True: (10, 30, 100), False: (10, 20, 50, 100, 200)}  # neurons, by whether it is to be quick
DEPTHS = {True: (1, 2), False: (1, 2, 3)}  # layers
WIDTH = {True: 20, False: 50}  # of each of several layers
INITIALISATIONS = {True: 10, False: 25}  # of each meta-seed: the paper's 100 in all
BASES = {True: ("zero",), False: ("zero", "sine")}


@register("fig4")
def sizes(request: Request) -> Drawn:
    """The accuracy against the number of neurons, with activations that were grown from zero, and from a sine."""
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
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    for ax, base in zip(axes[0], BASES[quick], strict=True):
        shown = table[(table["base"] == base) & (table["variant"] != "zero")]  # which learns nothing
        plotting.grouped_boxes(shown, "accuracy", "neurons", ax=ax, labels=("neurons $N$", "accuracy $A$"))
        ax.text(0.01, 0.97, f"activations grown from {base}", transform=ax.transAxes, va="top")
    return Drawn(figure, table, settings)


@register("depth")
def depths(request: Request) -> Drawn:
    """The accuracy against the number of hidden layers, with activations that were learned in networks of one."""
    task, quick = request.task("mnist1d"), request.quick
    settings, width = settings_of(request, task), WIDTH[quick]
    tables = [accuracies(request, task, "sine", (width,) * n, settings).assign(layers=n) for n in DEPTHS[quick]]
    table = pd.concat(tables, ignore_index=True)
    figure, ax = plt.subplots(figsize=(8.5, 4.4), layout="constrained")
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    plotting.grouped_boxes(table, "accuracy", "layers", ax=ax, labels=("hidden layers", "accuracy $A$"))
    return Drawn(figure, table, {**settings, "width": width})


def accuracies(request: Request, task: Task, base: str, hidden: tuple[int, ...], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Those of networks of a shape: each type, their mix, their base and the traditional activations."""
    return compared(request, replace(task, hidden=hidden), learned(request, task, meta_seeds=FEW, base=base), **settings).table


def settings_of(request: Request, task: Task) -> dict[str, Any]:
    """Of the comparisons: one learning rate for all, the middle one of those that suit each variant best at 100 neurons."""
    tuned = list(study(task, request).results.values())[-1].table
    return {
        "tuned": False,
        "learning_rate": float(tuned.groupby("variant")["learning_rate"].median().median()),
        "replicates": INITIALISATIONS[request.quick],
        "variants": {name: name for name in RIVALS},
    }
