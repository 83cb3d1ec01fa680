"""Figures and tables of the study of the mix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting, tasks
from physlearn.activations import Activation
from physlearn.comparison.statistics import summarize
from physlearn.comparison.variants import TRADITIONAL, line_up
from physlearn.studies.learned_diversity.evidence import in_words
from physlearn.studies.learned_diversity.figures import PAPER, Drawn, Request, register
from physlearn.studies.learned_diversity.mix_evidence import (
    FREE,
    against_the_mix,
    best_named,
    deciding,
    decisions,
    forecast_measures,
    others,
    wins,
)
from physlearn.studies.learned_diversity.mix_pictures import decisions_picture, forecasts_picture, mix_picture
from physlearn.studies.learned_diversity.mix_study import BASE, NAMED, SPLINES, forecast_study, mix_study, spline_task
from physlearn.studies.learned_diversity.step_time import seconds_a_step
from physlearn.studies.learned_diversity.study import (
    COMPARING,
    FEW,
    META_SEEDS,
    Study,
    compared,
    learned,
    short,
    study,
    table_of,
)
from physlearn.tasks import Task

SEPARATE = ("henon-heiles-hnn-separable", "henon-heiles-hnn-mechanical")  # other forms of Hamiltonian networks
RICHER: dict[str, dict[str, Any]] = {"double-pendulum-hnn": {}, "three-body": {"orbits": 500}, "oscillators": {}}
QUICK_ORBITS = 20
OPEN = ("van-der-pol", "henon-heiles-hnn", "pendulum-clock-hnn")  # tasks on which eight runs were not conclusive
AGAIN, PARITY_AGAIN = "van-der-pol", "henon-heiles-hnn"  # tasks to replicate, because eight runs were not quite conclusive
FRESH = {True: 1, False: 16}  # number of further runs, by whether to be quick


@register("mix")
def mix(request: Request) -> Drawn:
    """Draw the comparisons of the mix with all other variants, and list the deciding claims.

    The table has the loss of every network.
    """
    studies = _studies(request)
    decided = pd.DataFrame([row for found in studies for row in deciding(found)])
    regimes = list(studies[0].results)
    text = ["# The mix against the rest", "", "## Deciding claims", "", *_claims(decided), "", *_won(decided), ""]
    for regime in regimes:
        text += [f"## Test losses, {regime}", "", *_losses(studies, regime), ""]
    settings = {one.task.name: one.settings for one in studies}
    return Drawn(mix_picture(studies), _compact(table_of(studies)), settings, "\n".join(text))


@register("mix-again")
def mix_again(request: Request) -> Drawn:
    """List the deciding claims on van der Pol in sixteen further runs, none of which is among the first eight."""
    return _fresh(request, AGAIN, "Replication of the mix")


@register("mix-parity")
def mix_parity(request: Request) -> Drawn:
    """List the deciding claims for types that are odd and even functions, on tasks that eight runs left undecided."""
    studies = []
    for name in OPEN:
        task = request.task(name)
        several, control = learned(request, task, parity=True), learned(request, task, types=1)
        found = short(request, task, several, control, **_named(request))
        studies.append(_beside_free(found, study(task, request)))
    return _decisions(studies, "A mix of an odd and an even type")


@register("mix-parity-again")
def mix_parity_again(request: Request) -> Drawn:
    """List the same claims for the Hamiltonian network of Henon-Heiles, in sixteen runs outside the first eight."""
    return _fresh(request, PARITY_AGAIN, "Replication of the mix of an odd and an even type", parity=True)


def _step_times(request: Request, task: Task, line: Mapping[str, tuple[Task, str | Activation]]) -> dict[str, float]:
    """Return the time of a step of each variant, which is measured once and kept."""
    networks = COMPARING[request.quick]["replicates"]

    def measured() -> pd.DataFrame:
        return pd.DataFrame([seconds_a_step(line, networks)])

    settings = {"task": task.name, "variants": sorted(line), "networks": networks}
    kept = request.results.table(f"step-time-{task.name}", settings, measured)
    return {str(name): float(kept[name].iloc[0]) for name in kept}


@register("mix-curves")
def mix_curves(request: Request) -> Drawn:
    """Draw the loss during training, against steps and against seconds, in the longest training.

    The networks were trained at different times, perhaps on different machines. The seconds are therefore the number of steps
    times the time that one step of 50 such networks takes on this machine, measured when the figure is first drawn.
    """
    studies = _studies(request)
    figure, axes = plt.subplots(len(studies), 2, figsize=(12, 3.8 * len(studies)), layout="constrained", squeeze=False)
    plt.close(figure)
    tables = []
    for row, found in zip(axes, studies, strict=True):
        regime, result = list(found.results.items())[-1]
        line: dict[str, tuple[Task, str | Activation]] = {
            name: (found.task, activation) for name, activation in line_up(found.learned[0], found.single[0], ()).items()
        }
        best = best_named(result.table, found.base)
        line |= {best: (found.task, best), SPLINES: (spline_task(found.task), BASE)}
        pace = _step_times(request, found.task, line)
        curves = result.curves[result.curves["variant"].isin(line)]
        curves = curves.assign(seconds=curves["step"] * curves["variant"].map(pace))
        for ax, against in zip(row, ("step", "seconds"), strict=True):
            replace(result, curves=curves).plot_curves(against, ax)
            ax.set_ylabel(f"{found.task.name}, {regime}\nvalidation loss")  # a title would overlap the legend
        tables.append(curves.assign(task=found.task.name, regime=regime))
    return Drawn(figure, pd.concat(tables, ignore_index=True))


@register("mix-forecasts")
def mix_forecasts(request: Request) -> Drawn:
    """Draw valid prediction times and energy errors of all networks, including three forms of Hamiltonian networks."""
    studies = [forecast_study(request.task(name), request) for name in PAPER if request.task(name).forecasting is not None]
    if not request.quick:
        studies += [_separate(name, request) for name in SEPARATE]
    rows, parts = [], []
    for found in studies:
        for measure in forecast_measures(found):
            rows += list(others(found, measure))
        parts.append(table_of([found]))
    table = pd.concat(parts, ignore_index=True)
    text = ["# Forecasts", "", *_claims(pd.DataFrame(rows))] if rows else None
    return Drawn(forecasts_picture(studies), _compact(table), {}, None if text is None else "\n".join([*text, ""]))


@register("mix-types")
def mix_types(request: Request) -> Drawn:
    """Compare two learned types with a single type learned with the same effort, on tasks of the paper and richer ones."""
    settings = {**COMPARING[request.quick], "variants": {"tanh": "tanh"}, "forecast": False}
    studies = []
    for name, how in RICHER.items():  # only the first few runs
        task = tasks.get(name, device=request.device, **({"orbits": QUICK_ORBITS} if request.quick else how))
        studies.append(study(task, request, FEW, settings))
    studies = [*(study(request.task(name), request) for name in PAPER), *studies]
    rows = [
        {**row, "claim": "two learned types are better than one"}
        for found in studies
        for row in others(found)
        if row["claim"].endswith("single")
    ]
    table = pd.DataFrame(rows)
    figure, ax = plt.subplots(figsize=(6.5, 1.5 + 0.25 * len(table)), layout="constrained")
    plt.close(figure)
    plotting.forest_plot(table, ax=ax)
    ax.set_yticks(range(len(table)), table["where"], fontsize=8)
    ax.set_xlabel("log loss, two learned types minus one")
    return Drawn(figure, table, {}, "\n".join(["# Two learned types against one", "", *_claims(table), ""]))


def _named(request: Request) -> dict[str, Any]:
    """Return settings of comparisons of the learned activations with the named functions only."""
    return {**COMPARING[request.quick], "variants": {name: name for name in (*TRADITIONAL, *NAMED)}, "forecast": False}


def _fresh(request: Request, name: str, title: str, **learning: Any) -> Drawn:
    """List the deciding claims on a task, in runs after the first eight."""
    task, first = request.task(name), META_SEEDS[request.quick]
    several = learned(request, task, meta_seeds=FRESH, first=first, **learning)
    found = short(request, task, several, first=first, **_named(request))
    return _decisions([found], f"{title}, in {len(several)} further runs")


def _beside_free(found: Study, free: Study) -> Study:
    """Add the mix of free types, from the other study of the same task, to the variants."""
    results = {}
    for regime, result in found.results.items():
        others = free.results[regime].table
        others = others[others["variant"] == "mix"].assign(variant=FREE)
        results[regime] = replace(result, table=pd.concat([result.table, others], ignore_index=True))
    return replace(found, results=results)


def _decisions(studies: Sequence[Study], title: str) -> Drawn:
    """Draw the deciding rows, and those of the single type and of free types if there are any."""
    rows = decisions(studies)
    text = [f"# {title}", "", *_claims(rows), "", *_won(rows[rows["decides"]]), ""]
    settings = {one.task.name: one.settings for one in studies}
    return Drawn(decisions_picture(rows), _compact(table_of(studies)), settings, "\n".join(text))


def _studies(request: Request) -> list[Study]:
    return [mix_study(request.task(name), request) for name in PAPER]


def _separate(name: str, request: Request) -> Study:
    """Study networks of another form, with the activations that were learned for Hamiltonian networks of the same system."""
    task, source = tasks.get(name, device=request.device), request.task("henon-heiles-hnn")
    several, control = (learned(request, source, types=types) for types in (2, 1))
    result = compared(request, task, several, control, tuned=True, **COMPARING[request.quick])
    return Study(task, several, control, {"tuned": result})


def _claims(rows: pd.DataFrame) -> list[str]:
    """Return the claims as a Markdown table."""
    lines = ["| where | claim | measure | difference | interval | p | pairs won | |", "|" + "---|" * 8]
    for _, row in rows.iterrows():
        cells = [row["where"], row["claim"], row["measure"], *in_words(row), f"{row['wins']:.0%}"]
        lines.append("| " + " | ".join([*cells, f"**{row['verdict']}**"]) + " |")
    return lines


def _won(decided: pd.DataFrame) -> list[str]:
    """Return a table of where the mix wins, in the sense of the paper and strictly, by regime."""
    paper, strictly = (wins(decided, strictly=strict) for strict in (False, True))
    lines = ["| task | " + " | ".join(paper.columns) + " |", "|" + "---|" * (1 + len(paper.columns))]
    for (task, own), (_, strict) in zip(paper.iterrows(), strictly.iterrows(), strict=True):
        cells = ["strictly" if best else "wins" if good else "" for good, best in zip(own, strict, strict=True)]
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    counts = [f"{int(paper[name].sum())}, strictly {int(strictly[name].sum())}" for name in paper]
    return [*lines, f"| tasks won, of {len(paper)} | " + " | ".join(counts) + " |"]


def _losses(studies: Sequence[Study], regime: str) -> list[str]:
    """Return a table of the geometric mean and median loss of each variant on each task, and its factor to the mix."""
    columns: dict[str, Mapping[str, str]] = {}
    for found in studies:
        table = found.results[regime].table
        of_all = summarize(table, "loss")
        against = against_the_mix(table, "loss", "log")
        cells = {}
        for variant, row in of_all.iterrows():
            cell = f"{row['geometric_mean']:.2g}, {row['median']:.2g}"
            if variant in against.index:
                ends = against.loc[[str(variant)], ["difference", "difference_high", "difference_low"]].to_numpy(float)[0]
                factor, low, high = np.exp(-ends)
                cell += f": x {factor:.2f} ({low:.2f} to {high:.2f})"
            cells[str(variant)] = cell + (f", {row['diverged']:.0f} diverged" if row["diverged"] else "")
        columns[found.task.name] = cells
    return _matrix(columns)


def _matrix(columns: Mapping[str, Mapping[str, str]]) -> list[str]:
    names: Iterable[str] = dict.fromkeys(name for cells in columns.values() for name in cells)
    lines = ["| | " + " | ".join(columns) + " |", "|" + "---|" * (1 + len(columns))]
    return [*lines, *(f"| {name} | " + " | ".join(cells.get(name, "") for cells in columns.values()) + " |" for name in names)]


def _compact(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same table in a smaller form, with single precision and categories for names."""
    short = dict.fromkeys(table.select_dtypes("float64"), "float32")
    named = dict.fromkeys(("task", "regime", "variant"), "category")
    return table.astype({**short, **named, "meta_seed": "int16", "replicate": "int16"})
