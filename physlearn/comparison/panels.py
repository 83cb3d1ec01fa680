"""Figures 3 and 5 to 7 of the paper: the task, the activations learned for it, and the scores of networks that use them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure, SubFigure

from physlearn import plotting
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.result import Comparison
from physlearn.metalearning import SEARCHES
from physlearn.plotting.color_map import ORDERED
from physlearn.tasks import Task

HIDDEN = 10.0  # a curve whose range is so much smaller than another's would look flat beside it


def panels(
    task: Task, learned: LearnedActivations, result: Comparison | None = None, *, cmap: str | Colormap = ORDERED
) -> Figure:
    """Draw the task on the left, the learned activations in the middle, and a box plot of the scores on the right.

    The orbit is coloured by time and the activations by outer step, from violet to orange unless ``cmap`` is given. The scores
    are test losses, or accuracies for a classifier.
    Without a comparison, the losses of the outer loop are drawn instead of the box plot.
    """
    types = len(learned)
    figure = plt.figure(figsize=(8.5 + 2.6 * types, 3.9), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    left, middle, right = np.asarray(figure.subfigures(1, 3, width_ratios=(3.6, 0.9 + 2.6 * types, 4.0)))
    (task.picture or _orbit_of(task, cmap))(left.subplots())
    curves(middle, learned, cmap)
    ax = right.subplots()
    if result is not None:
        result.plot("accuracy" if "accuracy" in result.measures else "loss", ax)
    else:
        _losses(ax, learned)
    figure.suptitle(task.title)
    return figure


def _losses(ax: Axes, learned: LearnedActivations) -> None:
    losses = learned.losses
    if learned.settings.get("variant") in SEARCHES:
        for stage, own in losses.groupby("stage", sort=False):
            ax.plot(own["held_out"], "o", markersize=3, label=stage)
        ax.set(xlabel="stage of the search", ylabel="log loss of the best candidate, held out")
    else:
        ax.plot(losses["held_out"], color="0.8", linewidth=0.8, label="each outer step")
        ax.plot(losses["smoothed"], color="tab:red", label="smoothed")
        ax.set(xlabel="outer step", ylabel="log loss of the inner networks")
    ax.legend(frameon=False)


def curves(figure: Figure | SubFigure, learned: LearnedActivations, cmap: str | Colormap = ORDERED) -> None:
    """Draw the learned types side by side, coloured by outer step, on one scale unless it would hide one of them."""
    history = learned.history
    height = np.ptp(history.to_numpy(), axis=(0, 2))
    axes = list(np.atleast_1d(figure.subplots(1, len(learned), sharey=bool(height.max() < HIDDEN * height.min()))))
    steps = history["outer_step"].to_numpy()
    plotting.activation_curves(history["a"].to_numpy(), history.to_numpy(), steps, axes=axes, cmap=cmap)


def _orbit_of(task: Task, cmap: str | Colormap) -> Callable[[Axes], Axes]:
    orbit = task.forecast.truth[0]
    if orbit.dim >= 4:
        return lambda ax: plotting.configuration_orbit(orbit, ax=ax, linewidth=0.8, cmap=cmap)
    return lambda ax: plotting.phase_portrait(orbit, ax=ax, cmap=cmap)
