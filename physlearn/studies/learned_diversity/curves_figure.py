"""The learned curves: how well polynomials fit them, and which of them are similar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from physlearn.activations.learned import LearnedActivations
from physlearn.analysis import agreement_within, aligned, cluster_curves, curve_distances, polynomial_fits
from physlearn.studies.learned_diversity.figures import PAPER, Drawn, Request, register
from physlearn.studies.learned_diversity.study import FEW, learned

GOOD = 0.01  # largest error of a good fit, relative to the range of the curve
FINE = 2001  # number of points at which tables are compared
SHOWN = 5.0  # largest pre-activation that is drawn


@register("curves")
def captured(request: Request) -> Drawn:
    """Draw the errors of polynomial fits, the distances between all curves, and the curves.

    On the left are the errors of polynomials of order 1 to 20, with a sine for comparison. In the middle are the distances
    between the curves of all tasks and meta-seeds. On the right are the curves themselves, aligned with the first, one colour
    per cluster.

    The table has one row per curve: its cluster, the lowest order of a good polynomial fit, the errors at some orders, and the
    differences of linear and quadratic tables from the cubic one, all in units of the range of the curve.
    """
    by_task = {name: learned(request, request.task(name), meta_seeds=FEW) for name in PAPER}
    rows = [
        {"task": name, "meta_seed": k, "type": j + 1}
        for name, several in by_task.items()
        for k, one in enumerate(several)
        for j in range(len(one))
    ]
    every = [(one, j) for several in by_task.values() for one in several for j in range(len(one))]
    grid = every[0][0].grid.double()
    curves = torch.stack([one.values[j].double() for one, j in every])
    distances = curve_distances(curves, grid)
    fits = [polynomial_fits(one.types[j].double().value)["max_error"] / _range(one.values[j]) for one, j in every]
    table = pd.DataFrame(rows).assign(cluster=cluster_curves(distances))
    table["order"] = [fit.index[fit < GOOD].min() for fit in fits]  # NaN if no fit is good
    for order in (5, 10, 20):
        table[f"error_{order}"] = [fit[order] for fit in fits]
    for kind in ("linear", "quadratic"):
        table[kind] = [_off_cubic(one, j, kind) for one, j in every]
    figure = _figure(table, fits, distances, aligned(curves, grid), grid)
    same = agreement_within(distances, table["task"].tolist())
    return Drawn(figure, table, {"captured": GOOD, "distance_within_tasks_to_between": same})


def _range(values: torch.Tensor) -> float:
    return float(values.max() - values.min())


def _off_cubic(one: LearnedActivations, j: int, kind: str) -> float:
    """Return the largest difference of a table from the cubic one, in units of the range of the curve."""
    a = torch.linspace(*one.interval, FINE, dtype=torch.float64)
    cubic, other = (one.interpolated(k).types[j].double().value(a) for k in ("cubic", kind))  # type: ignore[arg-type]
    return float((cubic - other).abs().max()) / _range(one.values[j])


def _figure(
    table: pd.DataFrame, fits: list[pd.Series], distances: torch.Tensor, turned: torch.Tensor, grid: torch.Tensor
) -> Figure:
    names = list(table["task"].unique())
    figure = plt.figure(figsize=(16, 5.2), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    left, middle, right = np.asarray(figure.subfigures(1, 3, width_ratios=(1, 1.15, 1.1)))
    _fits(left.subplots(), table, fits, names)
    ax = middle.subplots()
    image = ax.imshow(distances.numpy(), cmap="viridis", vmin=0)
    size = table.groupby("task", sort=False).size()
    ends = size.cumsum()
    ax.set_yticks(ends - size / 2 - 0.5, names)
    ax.set_xticks([])
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color="white", linewidth=1)
        ax.axvline(end - 0.5, color="white", linewidth=1)
    middle.colorbar(image, ax=ax, label="distance of two curves", shrink=0.8)
    near = grid.abs() <= SHOWN
    for ax, name in zip(right.subplots(len(names), 1, sharex=True), names, strict=True):
        for k in table.index[table["task"] == name]:
            ax.plot(grid[near], turned[k, near], color=f"C{table['cluster'][k] % 10}", linewidth=0.8)
        ax.set_yticks([])
        ax.set_title(name, fontsize="small", loc="left", pad=2)
    ax.set_xlabel("pre-activation $a$")
    return figure


def _fits(ax: Axes, table: pd.DataFrame, fits: list[pd.Series], names: list[str]) -> None:
    for k, fit in enumerate(fits):
        number = names.index(table["task"][k])
        first = k == table.index[table["task"] == names[number]][0]
        ax.semilogy(fit.index, fit, color=f"C{number}", linewidth=0.7, alpha=0.8, label=names[number] if first else None)
    sine = polynomial_fits(torch.sin)["max_error"] / 2
    ax.semilogy(sine.index, sine, color="black", linestyle="--", label="sine")
    ax.axhline(GOOD, color="0.7", linewidth=0.8, zorder=0)
    ax.set(xlabel="order of the polynomial", ylabel="largest error, in units of the range")
    ax.set_xticks(range(0, 21, 5))
    ax.legend(frameon=False, fontsize="small")
