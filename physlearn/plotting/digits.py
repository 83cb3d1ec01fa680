"""How the signals of MNIST-1D are made."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from physlearn.plotting.array import array
from systems import InputError

WIDTH = 0.84  # of a signal, relative to its column
HEIGHT = 0.8  # of the largest signal, relative to its row


def digit_construction(steps: Mapping[str, Float[Tensor, "digits points"]], *, ax: Axes | None = None) -> Axes:
    """Draw the signals after each step of their construction, one row per digit and one column per step.

    The position along a signal runs to the right and its value upwards, on the same scale for all, so the digits appear turned
    by 90 degrees. The last step is drawn as points, which are all that a network sees. The figure has the form of figure 3,
    left, of the paper.

    Parameters
    ----------
    steps : mapping of str to Tensor, shape (digits, points)
        The signals after each step, from `systems.mnist1d.construction`.
    ax : Axes, optional
        Where to draw; by default, a new figure.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    InputError
        If the steps have different numbers of digits.
    """
    signals = {name: array(values) for name, values in steps.items()}
    if not signals or len({len(rows) for rows in signals.values()}) > 1 or any(rows.ndim != 2 for rows in signals.values()):
        raise InputError(
            "each step needs a signal of each digit, with shape (digits, points), not the shapes "
            f"{[s.shape for s in signals.values()]}"
        )
    if ax is None:
        ax = plt.subplots(figsize=(5.4, 4.8), layout="constrained")[1]
    last = list(signals)[-1]
    digits = len(signals[last])
    largest = max(np.ptp(rows, axis=1).max() for rows in signals.values())
    for column, (name, rows) in enumerate(signals.items()):
        x = column + WIDTH * np.linspace(-0.5, 0.5, rows.shape[1])
        for k, row in enumerate(rows):
            y = k - HEIGHT * (row - (row.max() + row.min()) / 2) / largest  # the axis points down
            style = {"marker": ".", "markersize": 2.2, "linewidth": 0.4} if name == last else {"linewidth": 1.1}
            ax.plot(x, y, color="tab:red" if name == last else "0.2", **style)
    ax.set(xlim=(-0.5, len(signals) - 0.5), ylim=(digits - 0.4, -0.6), ylabel="digit")
    ax.set_xticks(range(len(signals)), list(signals), rotation=35, ha="left", rotation_mode="anchor")
    ax.xaxis.tick_top()
    ax.set_yticks(range(digits))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
