"""Spectra of Hessians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from physlearn.plotting.array import array
from physlearn.plotting.variant_colors import variant_colors

LOWEST = 1e-5  # relative to the highest density: one eigenvalue in ten thousand remains visible


class Density(Protocol):
    """A density on a grid, such as `physlearn.analysis.SpectralDensity`."""

    x: Tensor
    values: Tensor
    error: Tensor


def spectrum_plot(densities: Mapping[str, Density], *, ax: Axes | None = None) -> Axes:
    """Draw the eigenvalue density of each variant's Hessian on a logarithmic scale.

    A band shows the standard error of an estimated density, and a line marks zero. The densities are those of the section
    "Analysis" of the paper, drawn as by Ghorbani et al.

    Parameters
    ----------
    densities : mapping of str to Density
        The density of each variant, by name.
    ax : Axes, optional
        Where to draw; by default, a new figure.

    Returns
    -------
    Axes
        The axes.

    References
    ----------
    B. Ghorbani, S. Krishnan and Y. Xiao, ICML 2019.
    """
    if ax is None:
        ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")[1]
    ax.set_yscale("log")
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    highest = max(float(density.values.max()) for density in densities.values())
    floor = LOWEST * highest
    for (variant, density), color in zip(densities.items(), variant_colors(densities).values(), strict=True):
        x, p, error = (array(part) for part in (density.x, density.values, density.error))
        seen = np.where(p > floor, p, np.nan)
        ax.plot(x, seen, color=color, linewidth=1.3, label=variant)
        if np.isfinite(error).all():
            ax.fill_between(
                x, np.maximum(p - error, floor), np.maximum(p + error, floor), color=color, alpha=0.18, linewidth=0
            )
    ax.set(xlabel=r"eigenvalue $\lambda$ of the Hessian", ylabel=r"density $\rho(\lambda)$")
    ax.set_ylim(floor, 3 * highest)
    ax.legend(frameon=False)
    return ax
