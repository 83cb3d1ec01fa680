"""How digits on a line are made."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from physlearn.plotting.array import array
from systems import InputError

WIDTH = 0.84  # of a column that a signal takes
HEIGHT = 0.8  # of a row, for the largest of all signals


def digit_construction(steps: Mapping[str, Float[Tensor, "digits points"]], *, ax: Axes | None = None) -> Axes:
    """Signals after each step of their making: a row a digit, a column a step; gives the axes.

    The position along a signal runs to the right, its value upwards, all on one scale: a quarter turn from how the digits
    are written. The last step is drawn by its points, which are all that a network sees.

    steps: as `systems.mnist1d.construction` gives them. Raises InputError for steps of different numbers of digits.
    Source: the paper's figure 3, left.
    """
    signals = {name: array(values) for name, values in steps.items()}
    if not signals or len({len(rows) for rows in signals.values()}) > 1 or any(rows.ndim != 2 for rows in signals.values()):
        raise InputError(f"each step needs a signal of each digit, not the shapes {[s.shape for s in signals.values()]}")
    if ax is None:
        ax = plt.subplots(figsize=(5.4, 4.8), layout="constrained")[1]
    last = list(signals)[-1]
    digits = len(signals[last])
    largest = max(np.ptp(rows, axis=1).max() for rows in signals.values())
    for column, (name, rows) in enumerate(signals.items()):
        x = column + WIDTH * np.linspace(-0.5, 0.5, rows.shape[1])
        for k, row in enumerate(rows):
            y = k - HEIGHT * (row - (row.max() + row.min()) / 2) / largest  # the axis is turned over
            style = {"marker": ".", "markersize": 2.2, "linewidth": 0.4} if name == last else {"linewidth": 1.1}
            ax.plot(x, y, color="tab:red" if name == last else "0.2", **style)
    ax.set(xlim=(-0.5, len(signals) - 0.5), ylim=(digits - 0.4, -0.6), ylabel="digit")
    ax.set_xticks(range(len(signals)), list(signals), rotation=35, ha="left", rotation_mode="anchor")
    ax.xaxis.tick_top()
    ax.set_yticks(range(digits))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
