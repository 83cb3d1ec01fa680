"""The places of markers in a film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.marks import COLORS
from systems import InputError
from systems.film import Positions


def positions_plot(positions: Positions, *, axes: Sequence[Axes] | None = None) -> tuple[Axes, ...]:
    """Draw the places of the markers of a film: x and y against time, with bands of two standard errors, and the paths.

    Each marker has one colour. Frames in which a marker was not seen are gaps.

    Parameters
    ----------
    positions : Positions
        The places.
    axes : sequence of Axes, optional
        Three axes, for x, y and the paths; by default, those of a new figure.

    Returns
    -------
    tuple of Axes
        The three axes.

    Raises
    ------
    InputError
        If there are not three axes.
    """
    if axes is None:
        drawn = plt.figure(figsize=(10, 5), layout="constrained").subplot_mosaic("xp;yp")
        axes = drawn["x"], drawn["y"], drawn["p"]
    if len(axes) != 3:
        raise InputError(f"places of markers are drawn on three axes, not {len(axes)}")
    across, along, path = axes
    for k in range(len(positions)):
        color = COLORS[k % len(COLORS)]
        for ax, values in ((across, positions.x[k]), (along, positions.y[k])):
            ax.plot(positions.t, values, ".-", color=color, markersize=2, linewidth=0.6, label=f"marker {k}")
            band = 2 * positions.errors[k]
            ax.fill_between(positions.t, values - band, values + band, color=color, alpha=0.3, linewidth=0)
        path.plot(positions.x[k], positions.y[k], ".-", color=color, markersize=2, linewidth=0.6)
    unit = positions.axes.unit
    across.set(ylabel=f"$x$ [{unit}]")
    along.set(xlabel="$t$ [s]", ylabel=f"$y$ [{unit}]")
    path.set(xlabel=f"$x$ [{unit}]", ylabel=f"$y$ [{unit}]", aspect="equal")
    path.set_adjustable("datalim")
    if not positions.axes.y_up and np.isfinite(positions.y).any():  # as in the picture
        along.invert_yaxis()
        path.invert_yaxis()
    if len(positions) > 1:
        across.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize="small", frameon=False, ncols=len(positions))
    return across, along, path
