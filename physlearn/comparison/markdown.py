"""Text of a comparison in Markdown: headings and tables with significant digits only."""

from __future__ import annotations

import pandas as pd

from physlearn.comparison.statistics import Scale

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
