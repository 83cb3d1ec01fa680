"""Forecasts against the truth, with the energy below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.names import index_of, symbol
from physlearn.plotting.phase_portrait import array
from systems import InputError, Orbit

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito: told apart by all


def forecast_plot(
    truth: Orbit,
    forecasts: Mapping[str, Orbit],
    system: Any = None,
    coordinate: int | str = 0,
    *,
    axes: tuple[Axes, ...] | None = None,
) -> tuple[Axes, ...]:
    """One coordinate against time, truth and forecasts; below it the relative energy error, on a logarithmic scale.

    truth, forecasts: single orbits (of a batch, the first is drawn) at the same times. system: whose ``hamiltonian``, or
    which function of z, is the energy; without one, the lower picture is the distance to the truth. Gives both axes.
    """
    if axes is None:
        axes = tuple(plt.subplots(2, 1, figsize=(8, 4.6), sharex=True, layout="constrained", height_ratios=(2, 1))[1])
    if len(axes) != 2:
        raise InputError(f"a forecast is drawn on two axes, not {len(axes)}")
    upper, lower = axes
    truth, t, i = _first(truth), array(truth.t), index_of(truth, coordinate)
    upper.plot(t, array(truth.z[:, i]), color="0.75", linewidth=3, label="truth", solid_capstyle="round")
    hamiltonian = getattr(system, "hamiltonian", system if callable(system) else None)
    for (label, orbit), color in zip(forecasts.items(), COLORS * len(forecasts), strict=False):
        z = _first(orbit).z
        upper.plot(t, array(z[:, i]), color=color, linewidth=1, label=label)
        if hamiltonian is not None:
            energy = array(hamiltonian(z))
            error = np.abs(energy / energy[0] - 1)
        else:
            error = array((z - truth.z).norm(dim=-1) / truth.z.square().sum(-1).mean().sqrt())
        lower.semilogy(t[1:], np.maximum(error[1:], 1e-16), color=color, linewidth=1)
    low, high = float(truth.z[:, i].min()), float(truth.z[:, i].max())
    upper.set(ylabel=symbol(truth.coordinates[i]), ylim=(low - 0.35 * (high - low), high + 0.35 * (high - low)))
    upper.set(xlim=(t[0], t[-1]))
    upper.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False, fontsize="small")
    lower.set(xlabel="$t$", ylabel=r"$|H - E|\,/\,|E|$" if hamiltonian is not None else "distance")
    bottom, top = lower.get_ylim()
    lower.set_ylim(bottom, min(top, 1e2))
    return upper, lower


def _first(orbit: Orbit) -> Orbit:
    while len(orbit.shape) > 1:
        orbit = orbit[0]
    return orbit
