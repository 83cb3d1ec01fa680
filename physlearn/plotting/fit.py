"""Measured orbits and the orbits that were fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn.plotting.array import array
from physlearn.plotting.marks import COLORS
from physlearn.plotting.names import axis_label
from systems import Fit, InputError, Orbit, System

POINTS = 500  # of the curve


def fit_plot(fit: Fit, *, run: int = 0, axes: Sequence[Axes] | None = None) -> Sequence[Axes]:
    r"""Draw the measured values and the fitted orbit of one run, and the residuals in units of the noise.

    Residuals of a system that describes the data are white noise: most lie within two standard deviations, without a pattern.

    Parameters
    ----------
    fit : Fit
        The result of `systems.fit`.
    run : int, default 0
        Number of the run.
    axes : sequence of Axes, optional
        Where to draw: one for each measured coordinate, and one for the residuals. By default, a new figure.

    Returns
    -------
    sequence of Axes
        The axes.

    Raises
    ------
    InputError
        If there is no such run, or if the number of axes is wrong.

    Examples
    --------
    >>> import systems, torch
    >>> pendulum = systems.get("pendulum")
    >>> orbit = pendulum.orbit([2.0, 0.0], torch.linspace(0, 20, 101))
    >>> axes = fit_plot(systems.fit(pendulum, orbit))
    >>> [axis.get_ylabel() for axis in axes]
    ['$\\theta$', '$p$', 'residual / noise']
    """
    runs = len(fit.orbit) if len(fit.orbit.shape) > 1 else 1
    if not 0 <= run < runs:
        raise InputError(f"run must be between 0 and {runs - 1}, not {run}")
    orbit, residuals = (fit.orbit, fit.residuals) if len(fit.orbit.shape) == 1 else (fit.orbit[run], fit.residuals[run])
    kept = ~orbit.z.isnan().all(-1)  # a shorter run is filled up with NaN
    orbit, residuals = replace(orbit, t=orbit.t[kept], z=orbit.z[kept]), residuals[kept]
    t, z, left = array(orbit.t), array(orbit.z), array(residuals)
    names = list(fit.noise)
    curve = _curve(fit.systems[run], orbit)
    if axes is None:
        axes = plt.subplots(len(names) + 1, figsize=(8, 1.6 * len(names) + 1.6), sharex=True, layout="constrained")[1]
    if len(axes) != len(names) + 1:
        raise InputError(f"{len(names)} measured coordinates need {len(names) + 1} axes, not {len(axes)}")
    for place, name in enumerate(names):
        i, color = orbit.index(name), COLORS[place % len(COLORS)]
        axes[place].plot(t, z[:, i] + left[:, i], ".", color="0.6", markersize=4, label="measured")
        axes[place].plot(array(curve.t), array(curve.z)[:, i], color=color, linewidth=1, label="fitted")
        axes[place].set_ylabel(axis_label(name, orbit.units))
        axes[-1].plot(t, left[:, i] / fit.noise[name], ".", color=color, markersize=4)
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    axes[-1].axhspan(-2, 2, color="0.9", zorder=0)
    axes[-1].set(xlabel=axis_label("t", orbit.units), ylabel="residual / noise", xlim=(t.min(), t.max()))
    return axes


def _curve(system: System, orbit: Orbit) -> Orbit:
    """Return the orbit at times that are close enough for a smooth line, each stretch from its own fitted state."""
    step = float((orbit.t[-1] - orbit.t[0]).abs()) / POINTS
    times, states = [], []
    for i, (begin, end) in enumerate(pairwise(orbit.t.tolist())):
        between = torch.linspace(begin, end, 1 + max(1, round(abs(end - begin) / step)), dtype=torch.float64)[:-1]
        times.append(between)
        states.append(orbit.z[i : i + 1] if len(between) == 1 else system.orbit(orbit.z[i], between).z)
    return replace(orbit, t=torch.cat([*times, orbit.t[-1:]]), z=torch.cat([*states, orbit.z[-1:]]))
