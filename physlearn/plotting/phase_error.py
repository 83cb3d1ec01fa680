"""Phase errors of forecasts of an oscillation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from physlearn.plotting.array import array
from physlearn.plotting.marks import looks


def phase_error_plot(t: Float[Tensor, " T"], errors: Mapping[str, Float[Tensor, " T"]], *, ax: Axes | None = None) -> Axes:
    """Draw the phase errors of forecasts of an oscillation against time. They are positive if the forecast is ahead.

    The axes end at half a turn ahead or behind, beyond which a forecast is useless.

    Parameters
    ----------
    t : Tensor, shape (T,)
        The times.
    errors : mapping of str to Tensor, shape (T,)
        The phase error of each forecast in radians, from `physlearn.metrics.phase_error`, by name.
    ax : Axes, optional
        Where to draw; by default, a new figure.

    Returns
    -------
    Axes
        The axes.
    """
    times = array(t)
    if ax is None:
        ax = plt.subplots(figsize=(8, 2.2), layout="constrained")[1]
    for label, error, color, line in looks(errors):
        ax.plot(times, array(error), color=color, linestyle=line, linewidth=1, label=label)
    ax.axhline(0, color="0.75", zorder=0)
    ax.set(xlabel="$t$", ylabel="phase error [rad]", xlim=(times[0], times[-1]), ylim=(-np.pi, np.pi))
    return ax
