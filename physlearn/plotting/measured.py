"""Forecasts against measurements, which may have noise, holes and uneven times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from physlearn.plotting.legend_above import legend_above
from physlearn.plotting.marks import looks
from physlearn.plotting.names import axis_label
from systems import InputError, Orbit
from systems.recording.velocities import sources_of

MOST = 6  # coordinates that are drawn
MARGIN = 0.35  # of the range of the measurements


def measured_plot(
    measured: Orbit,
    forecasts: Mapping[str, Orbit],
    past: Orbit | None = None,
    *,
    level: float = 0.9,
    axes: tuple[Axes, ...] | None = None,
) -> tuple[Axes, ...]:
    """Draw measurements as dots and forecasts of them as lines, with one row per coordinate.

    Values that were not measured (NaN) are left out. The forecasts may have times of their own. The measurements set the
    limits. Velocities that were derived from measured positions are drawn as crosses, and told apart in the legend. A forecast
    of an ensemble has its band, and a dotted line where its trusted time ends.

    Parameters
    ----------
    measured : Orbit, shape ``(T,)``
        The measurements that are forecast.
    forecasts : mapping of str to Orbit
        Forecasts by their labels, shape ``(T',)``, with the same coordinates.
    past : Orbit, optional
        Measurements before the forecast, drawn as circles.
    level : float, default 0.9
        Probability of the band.
    axes : tuple of Axes, optional
        Where to draw, one for each coordinate, of which the first six are drawn; by default, a new figure.

    Returns
    -------
    tuple of Axes
        The axes, whose labels have the units of the measurements.

    Raises
    ------
    InputError
        If an orbit is a batch, if the coordinates differ, or if there are not enough axes.

    Examples
    --------
    >>> import torch
    >>> t = torch.linspace(0, 6, 20)
    >>> seen = Orbit(t, torch.stack([t.cos(), -t.sin()], -1), coordinates=("x", "v"), units={"x": "mm", "t": "s"})
    >>> [ax.get_ylabel() for ax in measured_plot(seen, {"same": seen})]
    ['$x$ [mm]', '$v$']
    """
    names = measured.coordinates[:MOST]
    for label, orbit in {"measurement": measured, "past": past, **forecasts}.items():
        if orbit is not None and len(orbit.shape) > 1:
            raise InputError(f"the orbit {label!r} is a batch of shape {tuple(orbit.shape)}; draw one of its orbits")
        if orbit is not None and orbit.coordinates != measured.coordinates:
            raise InputError(f"the orbit {label!r} has the coordinates {orbit.coordinates}, not {measured.coordinates}")
    if axes is None:
        size = (8, 0.7 + 1.9 * len(names))
        axes = tuple(plt.subplots(len(names), 1, figsize=size, sharex=True, layout="constrained", squeeze=False)[1][:, 0])
    if len(axes) != len(names):
        raise InputError(f"{len(names)} coordinates need as many axes, not {len(axes)}")
    derived = sources_of(measured)
    for i, (name, ax) in enumerate(zip(names, axes, strict=True)):
        seen = np.concatenate([array(one.z[:, i]) for one in (measured, past) if one is not None])
        low, high = (np.nanmin(seen), np.nanmax(seen)) if np.isfinite(seen).any() else (-1.0, 1.0)
        margin = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
        bottom, top = low - margin, high + margin
        if past is not None:
            ax.plot(array(past.t), array(past.z[:, i]), "o", color="0.6", markersize=3, fillstyle="none", label="before")
        look, known = ("x", "derived from positions") if i in derived else (".", "measured")
        ax.plot(array(measured.t), array(measured.z[:, i]), look, color="0.3", markersize=4, label=known)
        for label, orbit, color, line in looks(forecasts):
            t, z = array(orbit.t), array(orbit.z[:, i])
            ax.plot(t, np.clip(z, bottom - margin, top + margin), color=color, linestyle=line, linewidth=1.1, label=label)
            if hasattr(orbit, "limits") and hasattr(orbit, "trusted_until"):  # the forecast of an ensemble
                lower, upper = (np.clip(array(limit)[:, i], bottom - margin, top + margin) for limit in orbit.limits(level))
                told = (
                    f"{level:.0%} band"
                    if getattr(orbit, "calibration", None) is not None
                    else f"{level:.0%} band, not calibrated"
                )
                ax.fill_between(t, lower, upper, color=color, alpha=0.2, linewidth=0, label=told)
                ax.axvline(float(orbit.t[0] + orbit.trusted_until().time), color=color, linestyle=":", linewidth=0.9)
        ax.set(ylabel=axis_label(name, measured.units), ylim=(bottom, top))
    shown = {label: line for ax in axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    legend_above(axes[0], shown)
    if (figure := axes[0].get_figure(root=True)) is not None:
        figure.align_ylabels(axes)
    axes[-1].set_xlabel(axis_label("t", measured.units))
    return axes
