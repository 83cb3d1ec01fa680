"""The claims of the paper, each compared with the results behind the figures."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.studies.learned_diversity import evidence
from physlearn.studies.learned_diversity.figures import PAPER, Drawn, Request, register
from physlearn.studies.learned_diversity.study import study


@register("claims")
def claims(request: Request) -> Drawn:
    """List every claim with its figure, the difference that decides it, a 95 % confidence interval, and a verdict.

    A claim "holds" if the whole interval is on its side of zero, "does not hold" if the whole interval is on the other side,
    and is "undecided" if the interval includes zero. Differences of losses are differences of logarithms.
    """
    studies = {name: study(request.task(name), request) for name in PAPER}
    rows = [row for found in studies.values() for row in evidence.mix_against_the_rest(found)]
    rows += evidence.hamiltonian(studies["henon-heiles-nn"], studies["henon-heiles-hnn"])
    rows += [evidence.diversify(found) for found in studies.values()]
    for figure, says in (
        ("fig4", evidence.network_sizes),
        ("depth", evidence.network_depths),
        ("fig8", evidence.participation),
        ("hessian", evidence.flatness),
        ("fig9", evidence.descent),
        ("curves", evidence.polynomials),
        ("transfer", evidence.reuse),
    ):
        rows += says(request.drawn(figure).table)
    table = pd.DataFrame(rows)
    shown = table[table["measure"].isin(["log loss", "accuracy"]) & table["low"].notna()]
    measures = list(shown["measure"].unique())
    counts = [int((shown["measure"] == measure).sum()) for measure in measures]
    size = (8 * len(measures), 1.5 + 0.2 * max(counts))
    picture, axes = plt.subplots(1, len(measures), figsize=size, layout="constrained", squeeze=False)
    plt.close(picture)  # removes it from pyplot; the caller keeps it
    for ax, measure in zip(axes[0], measures, strict=True):
        plotting.forest_plot(shown[shown["measure"] == measure], ax=ax)
        ax.set_xlabel(f"difference of {measure}")
    return Drawn(picture, table, {}, to_markdown(table))


def to_markdown(table: pd.DataFrame) -> str:
    """Return the claims as a Markdown table."""
    lines = [
        "# Every claim",
        "",
        "| | claim | where | measure | difference | 95 % interval | p | meta-seeds | pairs | |",
        "|" + "---|" * 10,
    ]
    for _, row in table.iterrows():
        counts = ["" if pd.isna(row[name]) else f"{row[name]:.0f}" for name in ("meta_seeds", "pairs")]
        cells = [row["figure"], row["claim"], row["where"], row["measure"], *evidence.in_words(row), *counts]
        lines.append("| " + " | ".join([*map(str, cells), f"**{row['verdict']}**"]) + " |")
    return "\n".join(lines) + "\n"
