"""Figures 3, 4 and 8: digits on a line, told apart by networks with one hidden layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt

from physlearn import plotting, tasks
from physlearn.activations import Activation
from physlearn.activations.learned import LearnedActivations
from physlearn.analysis import activities, participation_ratio
from physlearn.comparison.panels import panels
from physlearn.reproduction.figures import Drawn, Request, register
from physlearn.reproduction.orbit_figures import settings_of, study, table_of
from physlearn.tasks import Task
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import accuracy

SIZES = {True: (10, 30, 100), False: (10, 20, 50, 100, 200, 400)}  # neurons, by whether it is to be quick
INITIALISATIONS = {True: 10, False: 100}
REALISATIONS = {True: 12, False: 100}
BASES = {True: ("zero",), False: ("zero", "sine")}
RIVALS = ("tanh", "relu", "sine")


@register("fig3")
def digits(request: Request) -> Drawn:
    """How the digits are made, two learned activations, and the accuracy of networks of 100 neurons."""
    task = tasks.get("mnist1d", device=request.device)
    learned, results = study(task, request)
    return Drawn(panels(task, learned, results["untuned"]), table_of({task.name: results}), settings_of(results))


@register("fig4")
def sizes(request: Request) -> Drawn:
    """The accuracy against the number of neurons, with activations that were grown from zero, and from a sine."""
    task = tasks.get("mnist1d", device=request.device)
    tables, settings = [], {}
    for base in BASES[request.quick]:
        learned, results = study(task, request, base=base)
        # one learning rate for all: the middle one of those that suit each variant best at 100 neurons
        tuned = results.get("tuned", results["untuned"]).table
        rate = float(tuned.groupby("variant")["learning_rate"].first().median())
        settings[base] = {**settings_of(results), "learning_rate": rate}
        for size in SIZES[request.quick]:
            result = request.store.compared(
                replace(task, hidden=(size,)),
                learned,
                None,
                tuned=False,
                forecast=False,
                replicates=INITIALISATIONS[request.quick],
                learning_rate=rate,
                variants={name: name for name in RIVALS},
            )
            tables.append(result.table.assign(base=base, neurons=size))
    table = pd.concat(tables, ignore_index=True)
    figure, axes = plt.subplots(1, len(settings), figsize=(8.5 * len(settings), 4.4), layout="constrained", squeeze=False)
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    for ax, base in zip(axes[0], settings, strict=True):
        shown = table[(table["base"] == base) & (table["variant"] != "zero")]  # which learns nothing
        plotting.grouped_boxes(shown, "accuracy", "neurons", ax=ax, labels=("neurons $N$", "accuracy $A$"))
        ax.text(0.01, 0.97, f"activations grown from {base}", transform=ax.transAxes, va="top")
    return Drawn(figure, table, settings)


@register("fig8")
def participation(request: Request) -> Drawn:
    """The joint density of accuracy and normalized participation ratio."""
    task = tasks.get("mnist1d", device=request.device)
    learned, _ = study(task, request)
    count = REALISATIONS[request.quick]
    variants: dict[str, str | Activation] = {"mix": learned.mix, **{name: name for name in RIVALS}}

    def measured() -> pd.DataFrame:
        return pd.concat([realised(task, name, kind, count, request.store.seed) for name, kind in variants.items()])

    key = {"task": task.name, "curves": _curves(learned), "realisations": count, "epochs": task.training.epochs}
    table = request.store.table("participation", key, measured)
    ax = plotting.joint_density(table, labels=("accuracy $A$", r"normalized participation ratio $r = \mathcal{R} / N$"))
    figure = ax.figure
    plt.close(figure)  # type: ignore[arg-type]
    return Drawn(figure, table, key)  # type: ignore[arg-type]


def realised(task: Task, variant: str, activation: str | Activation, count: int, seed: int) -> pd.DataFrame:
    """A row a network: its accuracy on the test part, and the participation ratio of its hidden layer there."""
    seeds = [seed + k for k in range(count)]
    models = [task.network(activation, s) for s in seeds]
    history = train_ensemble(models, task.pairs("training"), task.pairs("validation"), task.training, seeds, progress=False)
    test = task.pairs("test")
    rows = []
    for k, model in enumerate(models):
        with torch.no_grad():
            score = float(accuracy(model(test.z), test.target))
        ratio = float(participation_ratio(activities(model, test.z), normalized=True))
        rows.append({"replicate": k, "variant": variant, "accuracy": score, "participation": ratio})
    return pd.DataFrame(rows).assign(diverged=history.diverged.numpy())


def _curves(learned: LearnedActivations) -> list[list[float]]:
    values: list[list[float]] = np.round(learned.values.double().numpy(), 6).tolist()
    return values
