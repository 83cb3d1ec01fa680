"""The Hessian at the minima that networks of each type find, and how flat these minima are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import torch
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.activations.learned import LearnedActivations
from physlearn.analysis import SpectralDensity, hessian, near_zero
from physlearn.comparison.compare import first_seed
from physlearn.models import Learner
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.results import trained
from physlearn.studies.learned_diversity.study import FEW, study
from physlearn.tasks import Task
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import loss_of

NEURONS = {True: 20, False: 100}  # by whether to be quick; 100 neurons have 5110 weights, as in the paper
EPOCHS = {True: (10,), False: (10, 100)}  # as in figure 3, and until convergence
THRESHOLD = 1e-3  # largest eigenvalue that counts as near zero, the same for all networks
PROBES = 100  # number of probes for the trace on the training part


@register("hessian")
def flatness(request: Request) -> Drawn:
    """Draw the traces, the fractions of eigenvalues near zero, and the spectra of the networks of figure 3.

    The table has one row per network: the number of epochs, the exact trace and fraction for the loss on the test part (the
    choice of the paper), the trace for the training part by Hutchinson's method, and both losses.
    """
    task = request.task("mnist1d")
    learned = study(task, request).learned[: FEW[request.quick]]
    layer = replace(task, hidden=(NEURONS[request.quick],))
    settings = {"threshold": THRESHOLD, "probes": PROBES}
    rows, spectra = [], {}
    for epochs in EPOCHS[request.quick]:
        for k, one in enumerate(learned):
            key = {**trained(layer, "training", "test"), "curves": one.values.tolist(), "run": k, "epochs": epochs, **settings}
            measured = partial(minima, layer, one, epochs, k, request.results.seed)
            rows.append(request.results.table("hessian", key, measured))
    table = pd.concat(rows, ignore_index=True)
    last = table[table["epochs"] == table["epochs"].max()]
    for variant, part in last.groupby("variant", sort=False):
        spectra[str(variant)] = SpectralDensity.of(torch.cat([torch.tensor(spectrum) for spectrum in part["spectrum"]]))
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.2), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    plotting.box_plot(last, "trace", ax=axes[0], scale="linear", label=r"trace $\mathrm{Tr}\,H$")
    plotting.box_plot(last, "near_zero", ax=axes[1], scale="linear", label="fraction $f$ of eigenvalues near zero")
    plotting.spectrum_plot(spectra, ax=axes[2])
    return Drawn(figure, table.drop(columns="spectrum"), {**settings, "epochs": EPOCHS[request.quick]})


def minima(task: Task, learned: LearnedActivations, epochs: int, meta_seed: int, seed: int) -> pd.DataFrame:
    """Return the curvature of the loss at the trained weights, one row per network of each type and of their mix.

    The column ``spectrum`` contains all eigenvalues.
    """
    own = first_seed(seed, meta_seed)
    training = replace(task.training, epochs=epochs)
    rows = []
    for variant, activation in {**{table.name: table for table in learned.types}, "mix": learned.mix}.items():
        model = task.network(activation, own)
        history = train_ensemble([model], task.pairs("training"), None, training, [own], progress=False)
        row = {"meta_seed": meta_seed, "replicate": 0, "variant": variant, "epochs": epochs}
        rows.append({**row, "diverged": bool(history.diverged[0]), **curvature(task, model.double())})
    return pd.DataFrame(rows)


def curvature(task: Task, model: Learner) -> dict[str, object]:
    """Return properties of the Hessian of a trained network, on the test part and on the training part."""
    found: dict[str, object] = {}
    for part in ("test", "training"):
        pairs = task.pairs(part).to(torch.device(task.device), torch.float64)
        H = hessian(model, lambda m, pairs=pairs: loss_of(m, m(pairs.z), pairs.target))  # type: ignore[misc]
        if part == "test":
            spectrum = H.eigenvalues()
            found |= {"trace": float(spectrum.sum()), "near_zero": near_zero(spectrum, THRESHOLD, scale=1.0)}
            found |= {"largest": float(spectrum[-1]), "spectrum": spectrum.tolist()}
        else:
            found["training_trace"], found["training_trace_error"] = H.trace(PROBES)
        found[f"{part}_loss"] = H.loss
    return found
