"""Pictures of the study of the mix, drawn from its results alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from physlearn import plotting
from physlearn.studies.learned_diversity.mix_evidence import SHORT_TUNED, forecast_measures, others
from physlearn.studies.learned_diversity.study import Study

CLAIM = "the mix is better than "
VERDICTS = {"holds": "the mix is better", "does not hold": "the other is better", "undecided": "undecided"}


def mix_picture(studies: Sequence[Study]) -> Figure:
    """Draw the differences of the mix to all other variants, one row of panels per task and one column per regime.

    In each row, the variant closest to the mix in the first regime is at the top.
    """
    rows = pd.DataFrame([row for found in studies for row in others(found)])
    regimes = list(studies[0].results)
    figure, axes = plt.subplots(
        len(studies),
        len(regimes),
        figsize=(2.7 * len(regimes) + 1.3, 2.9 * len(studies)),
        sharey="row",
        layout="constrained",
        squeeze=False,
    )
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    labels: dict[str, Artist] = {}
    for panels, found in zip(axes, studies, strict=True):
        own = rows[rows["task"] == found.task.name]
        order = list(own[own["regime"] == regimes[0]].sort_values("difference", ascending=False)["claim"])
        for ax, regime in zip(panels, regimes, strict=True):
            ordered = own[own["regime"] == regime].set_index("claim").reindex(order).reset_index()
            plotting.forest_plot(ordered.assign(where=""), ax=ax)
            ax.tick_params(axis="x", labelsize="small")
            ax.set_title(f"{found.task.name}, {regime}", fontsize="small")
            labels |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
            ax.get_legend().remove()
        panels[0].set_yticks(range(len(order)), [claim.removeprefix(CLAIM) for claim in order], fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("log loss, mix minus other")
    names = [VERDICTS[label] for label in labels]
    figure.legend(list(labels.values()), names, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def decisions_picture(rows: pd.DataFrame) -> Figure:
    """Draw the rows of `decisions`."""
    figure, ax = plt.subplots(figsize=(8, 1.2 + 0.25 * len(rows)), layout="constrained")
    plt.close(figure)
    plotting.forest_plot(rows, ax=ax)
    ax.set_yticks(range(len(rows)), rows["where"] + ": " + rows["claim"].str.removeprefix(CLAIM), fontsize=8)
    ax.set_xlabel("log loss, mix minus other")
    handles, verdicts = ax.get_legend_handles_labels()
    ax.legend(
        handles,
        [VERDICTS[verdict] for verdict in verdicts],
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=3,
        frameon=False,
    )
    return figure


def forecasts_picture(studies: Sequence[Study]) -> Figure:
    """Draw the valid times and the energy errors of all networks, one row of panels per task."""
    figure, axes = plt.subplots(len(studies), 2, figsize=(10.5, 3.1 * len(studies)), layout="constrained", squeeze=False)
    plt.close(figure)
    for panels, found in zip(axes, studies, strict=True):
        regime = SHORT_TUNED if SHORT_TUNED in found.results else next(iter(found.results))  # converged, all forecast well
        result = found.results[regime]
        for ax, measure in zip(panels, _telling(forecast_measures(found)), strict=True):
            shown = replace(result, table=result.table[result.table[measure].notna()])
            shown.plot(measure, ax)
            ax.set_title(f"{found.task.name}, {regime}: {measure.replace('_', ' ')}", fontsize="medium", loc="left")
    return figure


def _telling(measures: Sequence[str]) -> Sequence[str]:
    """Return the valid time and the energy error by the best integrator, or two other measures if the energy has none."""
    times, errors = ([name for name in measures if name.startswith(what)] for what in ("valid_time", "energy_error"))
    return [times[-1], errors[-1]] if times and errors else times[-2:] if len(times) > 1 else ["loss"] * 2
