"""Text of a comparison: its verdict, its budget, and headings and tables in Markdown with significant digits only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from physlearn.comparison.statistics import Scale

SIGNIFICANT = 0.05  # largest p-value of a significant difference
LABELS = {
    "loss": "test loss",
    "validation_loss": "validation loss",
    "accuracy": "test accuracy",
    "valid_time": "valid time",
    "energy_error": "energy error",
}


def label_of(measure: str) -> str:
    """Return the label of a measure in pictures and headings."""
    for name, label in LABELS.items():
        if measure == name:
            return label
        if measure.startswith(f"{name}_"):
            return f"{label}, {measure.removeprefix(f'{name}_')}"
    return measure


def section_of(measure: str, summary: pd.DataFrame, scale: Scale, reference: str) -> list[str]:
    """Return the lines of the section about one measure."""
    better = "larger" if scale == "linear" else "smaller"
    columns = ["n", "diverged", "median", "median_low", "median_high", "mean"]
    columns += [name for name in ("difference", "difference_low", "difference_high", "wins", "p_holm") if name in summary]
    shown = summary[columns].rename(columns={name: _heading(name, reference) for name in columns})
    return [f"## {label_of(measure)} ({better} is better)", "", _table(shown), ""]


def _heading(column: str, reference: str) -> str:
    return {"difference": f"{reference} - other", "difference_low": "low", "difference_high": "high", "p_holm": "p",
            "median_low": "(low", "median_high": "high)"}.get(column, column)  # fmt: skip


def _table(frame: pd.DataFrame) -> str:
    """Format a table in Markdown, with significant digits only."""
    rows = [["variant", *frame.columns], ["---"] * (len(frame.columns) + 1)]
    rows += [[str(name), *(_digits(value) for value in row)] for name, row in zip(frame.index, frame.to_numpy(), strict=True)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _digits(value: object) -> str:
    if isinstance(value, float) and value != value:  # NaN
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def verdict_of(loss: pd.DataFrame, reference: str) -> str:
    """Return a sentence that names the variant with the lowest median loss, and whether it differs from the reference.

    ``loss`` is the summary of the losses, with one row per variant.
    """
    best = str(loss["median"].idxmin())
    least = f"lowest median loss: {best}, {float(loss['median'][best]):.3g}"
    if best == reference or "p_holm" not in loss:
        return f"{least}, the reference" if best == reference else least
    p = float(loss["p_holm"][best])
    known = "" if math.isnan(p) else f", {'' if p < SIGNIFICANT else 'not '}significantly different, p = {p:.2g}"
    return f"{least} ({reference}: {float(loss['median'][reference]):.3g}{known})"


def budget_of(table: pd.DataFrame, settings: Mapping[str, Any], reference: str) -> str:
    """Return what was trained and how the variants are compared, in words."""
    training = settings["training"]
    tuned = (
        f"the learning rate of each variant chosen from {len(settings['rates'])} rates on the tuning part, with "
        f"{settings['tuning_replicates']} networks per rate, by their {settings.get('tuned_by', 'median')}"
        if settings["rates"]
        else "the same learning rate for all"
    )
    meta_seeds = table["meta_seed"].nunique()
    return (
        f"{settings['replicates']} networks of each variant, {meta_seeds} meta-seed{'s' * (meta_seeds > 1)}, "
        f"{training['epochs']} epoch{'s' * (training['epochs'] > 1)} in batches of {training['batch_size']}; {tuned}. "
        f"Differences are {reference} minus other, with 95 % bootstrap intervals. The p-values are those of "
        "Wilcoxon's test over pairs, corrected by Holm's method."
    )
