"""Recurrence plots."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from systems import InputError


def recurrence_plot(
    matrix: Bool[np.ndarray, "N N"], t: Float[np.ndarray, " N"] | None = None, *, ax: Axes | None = None, **style: Any
) -> Axes:
    """Draw a recurrence matrix: a dot for each pair of times at which an orbit is in the same place.

    Parameters
    ----------
    matrix : shape ``(N, N)``
        Recurrences, as from `physlearn.chaos.recurrence_matrix`.
    t : shape ``(N,)``, optional
        Times; by default the numbers of the states.
    ax : Axes, optional
        Where to draw; by default, a new figure.
    **style
        Options of matplotlib's ``imshow``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    recurrent = array(matrix)
    if recurrent.ndim != 2 or recurrent.shape[0] != recurrent.shape[1]:
        raise InputError(f"a recurrence matrix has shape (N, N), not {recurrent.shape}")
    times = np.arange(len(recurrent)) if t is None else array(t)
    if times.shape != recurrent.shape[:1]:
        raise InputError(f"t must have shape {recurrent.shape[:1]}, one time per state, not {times.shape}")
    if ax is None:
        ax = plt.subplots(figsize=(4.4, 4.4), layout="constrained")[1]
    ends = (float(times[0]), float(times[-1]))
    ax.imshow(recurrent, **{"cmap": "Greys", "origin": "lower", "extent": (*ends, *ends), "interpolation": "nearest", **style})
    ax.set(xlabel="$t$", ylabel="$t'$")
    return ax
