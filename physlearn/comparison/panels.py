"""Figures 3 and 5 to 7 of the paper: the task, the activations learned for it, and the scores of networks that use them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from physlearn import plotting
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.result import Comparison
from physlearn.tasks import Task


def panels(task: Task, learned: LearnedActivations, result: Comparison | None = None) -> Figure:
    """Draw the task on the left, the learned activations in the middle, and a box plot of the scores on the right.

    The activations are coloured from violet to red by outer step. The scores are test losses, or accuracies for a classifier.
    Without a comparison, the losses of the outer loop are drawn instead of the box plot.
    """
    types = len(learned)
    figure = plt.figure(figsize=(8.5 + 2.6 * types, 3.9), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    left, middle, right = np.asarray(figure.subfigures(1, 3, width_ratios=(3.6, 0.9 + 2.6 * types, 4.0)))
    (task.picture or _orbit_of(task))(left.subplots())
    curves(middle, learned)
    ax = right.subplots()
    if result is not None:
        result.plot("accuracy" if "accuracy" in result.measures else "loss", ax)
    else:
        ax.plot(learned.losses["held_out"], color="0.8", linewidth=0.8, label="each outer step")
        ax.plot(learned.losses["smoothed"], color="tab:red", label="smoothed")
        ax.set(xlabel="outer step", ylabel="log loss of the inner networks")
        ax.legend(frameon=False)
    figure.suptitle(task.title)
    return figure


def curves(figure: Figure | SubFigure, learned: LearnedActivations) -> None:
    """Draw the learned types side by side, from violet to red by outer step."""
    history = learned.history
    axes = list(np.atleast_1d(figure.subplots(1, len(learned), sharey=True)))
    steps = history["outer_step"].to_numpy()
    plotting.activation_curves(history["a"].to_numpy(), history.to_numpy(), steps, axes=axes)


def _orbit_of(task: Task) -> Callable[[Axes], Axes]:
    orbit = task.forecast.truth[0]
    if orbit.dim >= 4:
        return lambda ax: plotting.configuration_orbit(orbit, ax=ax, linewidth=0.8)
    return lambda ax: plotting.phase_portrait(orbit, ax=ax)
