"""Matrices of numbers, with each number written in its cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from systems import InputError

PALE = 0.6  # of the largest magnitude: cells above it are dark, so their numbers are white


def labelled_matrix(
    values: Float[np.ndarray, "rows columns"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    ax: Axes | None = None,
    sure: Bool[np.ndarray, "rows columns"] | None = None,
    label: str = "",
) -> Axes:
    """Draw a matrix of signed numbers in cells coloured from blue (negative) through white to red (positive).

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        The numbers.
    rows, columns : sequence of str
        The names of the rows and columns.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    sure : ndarray of bool, shape (rows, columns), optional
        Where the sign is significant. These numbers are bold.
    label : str, optional
        Label of the colour bar.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the names do not match the shape of the values.
    """
    values = array(values)
    if values.shape != (len(rows), len(columns)):
        raise InputError(
            f"values of shape {values.shape} need as many names of rows and columns, not {len(rows)} and {len(columns)}"
        )
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
