"""Activation functions as they evolve from their base during meta-learning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.patheffects import Normal, Stroke
from torch import Tensor

from physlearn.plotting.array import array
from physlearn.plotting.color_map import ORDERED
from physlearn.plotting.colored_line import LARGEST
from systems import InputError

Values = Tensor | np.ndarray
STYLES = ("solid", "dashed", "dotted", "dashdot")  # distinguish the types on shared axes
THIN, THICK = 0.8, 2.4


def activation_curves(
    x: Float[Values, " X"],
    curves: Float[Values, "S types X"],
    steps: Sequence[float] | Float[Values, " S"] | None = None,
    *,
    axes: Axes | Sequence[Axes] | None = None,
    cmap: str | Colormap | None = None,
) -> tuple[Axes, ...]:
    r"""Draw activation functions :math:`\sigma(a)` over the outer steps, from violet to orange, with the last one thick.

    The figure has the form of figures 3, 5 and 6 of the paper; with ``cmap="rainbow"``, it has their colours, too.

    Parameters
    ----------
    x : Tensor or ndarray, shape (X,)
        The pre-activations at which the curves are given.
    curves : Tensor or ndarray, shape (S, types, X)
        S snapshots of each type.
    steps : array_like, shape (S,), optional
        The outer step of each snapshot, increasing; by default, their index.
    axes : Axes or sequence of Axes, optional
        One axes for each type, or a single one for all types, which then differ in line style. By default, a new figure with
        one axes for each type.
    cmap : str or Colormap, optional
        Colours of the outer steps; by default, perceptually uniform ones that are safe for colour-blind readers.

    Returns
    -------
    tuple of Axes
        The axes.

    Raises
    ------
    InputError
        If the shapes do not match, the steps do not increase, or the number of axes is wrong.
    """
    x, curves = array(x), array(curves)
    if x.ndim != 1 or curves.ndim != 3 or curves.shape[-1] != len(x) or 0 in curves.shape:
        raise InputError(f"curves must have the shape (snapshots, types, {len(x)}) to go with x, not {curves.shape}")
    snapshots, types, _ = curves.shape
    times = np.arange(snapshots, dtype=float) if steps is None else array(steps)
    if times.shape != (snapshots,) or (np.diff(times) <= 0).any():
        raise InputError(f"{snapshots} snapshots need {snapshots} increasing outer steps, not {steps}")
    if axes is None:
        size = (3.2 * types + 0.9, 3.2)
        axes = tuple(plt.subplots(1, types, figsize=size, sharey=True, squeeze=False, layout="constrained")[1][0])
    panels = (axes,) if isinstance(axes, Axes) else tuple(axes)
    if len(panels) not in (1, types):
        raise InputError(f"{types} types need {types} axes or a single one, not {len(panels)}")
    colours = ScalarMappable(Normalize(times[0], times[-1]), ORDERED if cmap is None else cmap)
    for i, (ax, curve) in enumerate(zip(panels * (types // len(panels)), curves.swapaxes(0, 1), strict=True)):
        name, alone = f"type {i + 1}", len(panels) == types
        _draw(ax, x, curve, times, colours, "solid" if alone else STYLES[i % len(STYLES)], name)
        if alone and types > 1:
            ax.set_title(name, fontsize="medium")
        ax.set(xlabel="$a$", xlim=(x.min(), x.max()))
        ax.locator_params(axis="x", nbins=7, prune="both")  # labels at the ends would touch those of the next panel
    panels[0].set_ylabel(r"activation $\sigma(a)$")
    if len(panels) < types:
        panels[0].legend(frameon=False, fontsize="small", handlelength=3)
    if snapshots > 1:
        panels[0].figure.colorbar(colours, ax=list(panels), label="outer step", pad=0.04 / len(panels))
    return panels


def _draw(
    ax: Axes,
    x: Float[np.ndarray, " X"],
    curve: Float[np.ndarray, "S X"],
    times: Float[np.ndarray, " S"],
    colours: ScalarMappable,
    style: str,
    name: str,
) -> None:
    curve = np.where(np.abs(curve) < LARGEST, curve, np.nan)
    on_the_way = LineCollection([np.stack([x, y], axis=-1) for y in curve[:-1]], linewidth=THIN)
    on_the_way.set(array=times[:-1], cmap=colours.cmap, norm=colours.norm)
    ax.add_collection(on_the_way)
    (last,) = ax.plot(x, curve[-1], color=colours.cmap(1.0), linewidth=THICK, linestyle=style, label=name, zorder=3)
    last.set_path_effects([Stroke(linewidth=THICK + 1.6, foreground="white"), Normal()])
