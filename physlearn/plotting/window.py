"""The part of the plane that a figure shows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

FAR = 30.0  # in median distances from the median; relaxation oscillations stay within, diverging orbits do not
MARGIN = 0.05


def extent(points: Float[np.ndarray, "*batch T 2"]) -> Float[np.ndarray, "2 2"]:
    """Return (low, high) of x and y over all orbits, without the diverged part of any orbit."""
    paths = points.reshape(-1, *points.shape[-2:])
    finite = np.where(np.isfinite(paths), paths, np.nan)
    finite = finite[~np.isnan(finite).any(-1).all(-1)]
    if not finite.size:
        return np.array([[0.0, 1.0], [0.0, 1.0]])
    with np.errstate(over="ignore"):
        distance = np.abs(finite - np.nanmedian(finite, axis=1, keepdims=True))
        far = distance > FAR * np.nanmedian(distance, axis=1, keepdims=True)
    finite[far.any(-1)] = np.nan
    return np.stack([np.nanmin(finite, axis=(0, 1)), np.nanmax(finite, axis=(0, 1))], axis=-1)


def show(ax: Axes, shown: Float[np.ndarray, "2 2"], margin: float = MARGIN) -> None:
    """Widen the axes to show the given limits besides what they, and axes that share their limits, already show."""
    for (low, high), axis, shared in zip(shown, ("x", "y"), (ax.get_shared_x_axes(), ax.get_shared_y_axes()), strict=True):
        pad = margin * (high - low) or 0.5
        limits = [(low - pad, high + pad)]
        if any(sibling.has_data() for sibling in shared.get_siblings(ax)):
            limits.append(getattr(ax, f"get_{axis}lim")())
        getattr(ax, f"set_{axis}lim")(min(low for low, _ in limits), max(high for _, high in limits))
