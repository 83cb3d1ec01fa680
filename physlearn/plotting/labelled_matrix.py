"""A matrix of numbers, each written in its field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from systems import InputError

PALE = 0.6  # of the largest size: fields beyond are dark, and their numbers white


def labelled_matrix(
    values: Float[np.ndarray, "rows columns"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    ax: Axes | None = None,
    sure: Bool[np.ndarray, "rows columns"] | None = None,
    label: str = "",
) -> Axes:
    """Signed numbers in fields from blue (negative) over white to red (positive); gives the axes.

    sure: where the sign is beyond doubt: those numbers are bold. label: of the colours. Raises InputError for names that are
    not as many as rows and columns.
    """
    values = array(values)
    if values.shape != (len(rows), len(columns)):
        raise InputError(f"values {values.shape} need as many names, not {len(rows)} and {len(columns)}")
    if ax is None:
        ax = plt.subplots(figsize=(1.2 * len(columns) + 2.5, 0.8 * len(rows) + 1.8), layout="constrained")[1]
    largest = float(np.nanmax(np.abs(values))) or 1.0
    image = ax.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        bold = sure is not None and bool(sure[i, j])
        color = "white" if abs(value) > PALE * largest else "black"
        ax.text(j, i, f"{value:+.2f}", ha="center", va="center", color=color, weight="bold" if bold else "normal")
    ax.set_xticks(range(len(columns)), columns, rotation=20, ha="right")
    ax.set_yticks(range(len(rows)), rows)
    ax.figure.colorbar(image, ax=ax, label=label)
    return ax
