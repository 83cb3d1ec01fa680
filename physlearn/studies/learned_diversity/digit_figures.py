"""Figures 3 and 8: networks with one hidden layer that classify MNIST-1D digits."""

from __future__ import annotations

import pandas as pd
import torch
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.activations import Activation
from physlearn.activations.learned import LearnedActivations
from physlearn.analysis import activities, participation_ratio
from physlearn.comparison.compare import first_seed
from physlearn.comparison.panels import panels
from physlearn.plotting.color_map import RAINBOW
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.results import trained
from physlearn.studies.learned_diversity.study import FEW, study, table_of
from physlearn.tasks import Task
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import accuracy

REALISATIONS = {True: 12, False: 25}  # per meta-seed, by whether to be quick
RIVALS = ("tanh", "relu", "sine")


@register("fig3")
def digits(request: Request) -> Drawn:
    """Draw how the digits are made, two learned activations, and the accuracy of networks of 100 neurons."""
    task = request.task("mnist1d")
    found = study(task, request)
    return Drawn(panels(task, found.learned[0], found.results["untuned"], cmap=RAINBOW), table_of([found]), found.settings)


@register("fig8")
def participation(request: Request) -> Drawn:
    """Draw the joint density of accuracy and normalized participation ratio."""
    task = request.task("mnist1d")
    several, count = study(task, request).learned[: FEW[request.quick]], REALISATIONS[request.quick]

    def measured() -> pd.DataFrame:
        return pd.concat([realised(task, k, learned, count, request.results.seed) for k, learned in enumerate(several)])

    settings = {"realisations": count, "epochs": task.training.epochs}
    key = {**trained(task, "training", "validation", "test"), "curves": [one.values.tolist() for one in several], **settings}
    table = request.results.table("participation", key, measured)
    ax = plotting.joint_density(table, labels=("accuracy $A$", r"normalized participation ratio $r = \mathcal{R} / N$"))
    figure = ax.figure
    plt.close(figure)  # type: ignore[arg-type]
    return Drawn(figure, table, settings)  # type: ignore[arg-type]


def realised(task: Task, meta_seed: int, learned: LearnedActivations, count: int, seed: int) -> pd.DataFrame:
    """Return one row per network of each variant: its test accuracy, and the participation ratio of its hidden layer."""
    seeds = [first_seed(seed, meta_seed) + k for k in range(count)]
    test, rows = task.pairs("test"), []
    variants: dict[str, str | Activation] = {"mix": learned.mix, **{name: name for name in RIVALS}}
    for variant, activation in variants.items():
        models = [task.network(activation, s) for s in seeds]
        history = train_ensemble(
            models, task.pairs("training"), task.pairs("validation"), task.training, seeds, progress=False
        )
        for k, model in enumerate(models):
            with torch.no_grad():
                score = float(accuracy(model(test.z), test.target))
            ratio = float(participation_ratio(activities(model, test.z), normalized=True))
            row = {"meta_seed": meta_seed, "replicate": k, "variant": variant, "diverged": bool(history.diverged[k])}
            rows.append({**row, "accuracy": score, "participation": ratio})
    return pd.DataFrame(rows)
