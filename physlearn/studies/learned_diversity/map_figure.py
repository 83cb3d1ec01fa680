"""The map of learned diversity as figures: systems, fields, and three systems at all widths and with other data."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from physlearn.plotting.marks import COLORS
from physlearn.studies.learned_diversity import map_evidence, map_study
from physlearn.studies.learned_diversity.figures import Drawn, Request, register


def _drawn(part: str, request: Request) -> Drawn:
    table = map_study.scores(part, request)
    rows = map_evidence.claims(table)
    kept = table[["cell", "width", "meta_seed", "variant", "replicate", "loss", "diverged", "learning_rate", "found"]]
    return Drawn(picture(rows), kept, {"claims": rows.to_dict("records")}, map_evidence.to_markdown(rows))


@register("map-systems")
def systems(request: Request) -> Drawn:
    """Two learned types against the best rivals on eight systems, with networks of eight neurons."""
    return _drawn("systems", request)


@register("map-fields")
def fields(request: Request) -> Drawn:
    """The same for five fields that consist of a linear part and one other function."""
    return _drawn("fields", request)


@register("map-widths")
def widths(request: Request) -> Drawn:
    """The same for three systems at three other widths, in fewer runs."""
    return _drawn("widths", request)


@register("map-data")
def data(request: Request) -> Drawn:
    """The same for three systems with a tenth of the data, and with noise, in fewer runs."""
    return _drawn("data", request)


def picture(rows: pd.DataFrame) -> Figure:
    """Draw the differences with their intervals, as factors of the loss."""
    figure, ax = plt.subplots(figsize=(8, 1.2 + 0.45 * len(rows)), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    looks = {"one kind": ("o", COLORS[0]), "learned single": ("s", COLORS[1]), "named pair": ("^", COLORS[2])}
    for k, (name, (marker, colour)) in enumerate(looks.items()):
        y = [i + 0.22 * (k - 1) for i in range(len(rows))]
        x = rows[f"{name}, difference"]
        error = [x - rows[f"{name}, low"], rows[f"{name}, high"] - x]
        label = {"one kind": "the best single kind", "learned single": "one learned type", "named pair": "the best named pair"}
        ax.errorbar(x, y, xerr=error, fmt=marker, color=colour, capsize=2, markersize=5, label=label[name])
    ax.axvline(0, color="0.5", linewidth=0.8)
    places = [f"{row['cell'].replace(', nn', ', field')}, {row['width']} neurons" for _, row in rows.iterrows()]
    ax.set_yticks(range(len(rows)), places)
    ax.invert_yaxis()
    ax.set_xlabel("log loss of two learned types minus that of the rival (negative: two types are better)")
    ax.legend(title="rival", loc="best")
    return figure
