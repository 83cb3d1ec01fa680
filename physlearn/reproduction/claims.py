"""The claims of the paper, each held against the results behind the figures."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.reproduction import (
    curves_figure,
    descent_figure,
    digit_figures,
    evidence,
    hessian_figure,
    shape_figures,
    transfer_figure,
)
from physlearn.reproduction.figures import Drawn, Request, register
from physlearn.reproduction.study import study
from physlearn.reproduction.tasks_of_the_paper import tasks_of_the_paper


@register("claims")
def claims(request: Request) -> Drawn:
    """Every claim with its figure, the difference that decides it, a 95 % interval, and a verdict.

    A claim "holds" where the whole interval is on its side of zero, "does not hold" where all of it is on the other, and is
    "undecided" where zero lies within. Differences of losses are of logarithms.
    """
    studies = {name: study(task, request) for name, task in tasks_of_the_paper(request).items()}
    rows = [row for found in studies.values() for row in evidence.mix_against_the_rest(found)]
    rows += evidence.hamiltonian(studies["henon-heiles-nn"], studies["henon-heiles-hnn"])
    rows += [evidence.diversify(found) for found in studies.values()]
    for figure, says in (
        (shape_figures.sizes, evidence.network_sizes),
        (shape_figures.depths, evidence.network_depths),
        (digit_figures.participation, evidence.participation),
        (hessian_figure.flatness, evidence.flatness),
        (descent_figure.noisy_descent, evidence.descent),
        (curves_figure.captured, evidence.polynomials),
        (transfer_figure.transfer, evidence.reuse),
    ):
        rows += says(figure(request).table)
    table = pd.DataFrame(rows)
    shown = table[table["measure"].isin(["log loss", "accuracy"]) & table["low"].notna()]
    measures = list(shown["measure"].unique())
    counts = [int((shown["measure"] == measure).sum()) for measure in measures]
    size = (8 * len(measures), 1.5 + 0.2 * max(counts))
    picture, axes = plt.subplots(1, len(measures), figsize=size, layout="constrained", squeeze=False)
    plt.close(picture)  # pyplot forgets it; the caller keeps it
    for ax, measure in zip(axes[0], measures, strict=True):
        plotting.forest(shown[shown["measure"] == measure], ax=ax)
        ax.set_xlabel(f"difference of {measure}")
    return Drawn(picture, table, {}, to_markdown(table))


def to_markdown(table: pd.DataFrame) -> str:
    """The claims, to read."""
    lines = [
        "# Every claim",
        "",
        "| | claim | where | measure | difference | 95 % interval | p | meta-seeds | pairs | |",
        "|" + "---|" * 10,
    ]
    for _, row in table.iterrows():
        interval = "" if pd.isna(row["low"]) else f"{row['low']:.3g} to {row['high']:.3g}"
        p = "" if pd.isna(row["p"]) else f"{row['p']:.1e}"
        counts = ["" if pd.isna(row[name]) else f"{row[name]:.0f}" for name in ("meta_seeds", "pairs")]
        cells = [row["figure"], row["claim"], row["where"], row["measure"], f"{row['difference']:.3g}", interval, p, *counts]
        lines.append("| " + " | ".join([*map(str, cells), f"**{row['verdict']}**"]) + " |")
    return "\n".join(lines) + "\n"
