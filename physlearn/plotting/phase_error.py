"""The phase error of forecasts of an oscillation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from physlearn.plotting.array import array
from physlearn.plotting.forecast import COLORS


def phase_error_plot(t: Float[Tensor, " T"], errors: Mapping[str, Float[Tensor, " T"]], *, ax: Axes | None = None) -> Axes:
    """How far forecasts of an oscillation are ahead of the truth [rad] against time; gives the axes.

    errors: by the name of the forecast, as `physlearn.metrics.phase_error` gives them. Drawn between half a turn ahead and
    half a turn behind: beyond that, nothing is left of the forecast.
    """
    times = array(t)
    if ax is None:
        ax = plt.subplots(figsize=(8, 2.2), layout="constrained")[1]
    for (label, error), color in zip(errors.items(), COLORS * len(errors), strict=False):
        ax.plot(times, array(error), color=color, linewidth=1, label=label)
    ax.axhline(0, color="0.75", zorder=0)
    ax.set(xlabel="$t$", ylabel="phase error [rad]", xlim=(times[0], times[-1]), ylim=(-np.pi, np.pi))
    return ax
