"""Forecasts against the true orbit, and their energy errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from physlearn import metrics
from physlearn.flow import HamiltonianLike
from physlearn.metrics.match import check_times
from physlearn.plotting.array import array
from physlearn.plotting.legend_above import legend_above
from physlearn.plotting.marks import looks
from physlearn.plotting.names import axis_label
from systems import InputError, Orbit, System

SMALLEST, LARGEST = 1e-16, 1e2  # smaller errors are rounding, larger ones mean nothing


def forecast_plot(
    truth: Orbit,
    forecasts: Mapping[str, Orbit],
    system: HamiltonianLike | System | None = None,
    coordinate: int | str = 0,
    *,
    axes: tuple[Axes, ...] | None = None,
) -> tuple[Axes, ...]:
    """Draw one coordinate of the true orbit and its forecasts against time, and below it the relative energy errors.

    The true orbit sets the limits, and a forecast that diverges is drawn until it leaves them. The errors have a logarithmic
    scale.

    Parameters
    ----------
    truth : Orbit
        The true orbit. Of a batch, the first orbit is drawn. Times at which a coordinate is NaN, as it was not measured, are
        left out.
    forecasts : mapping of str to Orbit
        The forecasts, at the same times.
    system : HamiltonianSystem or callable, optional
        A system whose ``hamiltonian`` is the energy, or the energy as a function of z. Without one, the lower axes show the
        error of `physlearn.metrics.distance`.
    coordinate : int or str, default 0
        The coordinate to draw.
    axes : tuple of two Axes, optional
        Where to draw; by default, a new figure.

    Returns
    -------
    tuple of two Axes
        The axes of the coordinate and of the error.

    Raises
    ------
    InputError
        If the orbit has no such coordinate, the times differ, or the energy of the true orbit is zero.
    """
    if axes is None:
        axes = tuple(plt.subplots(2, 1, figsize=(8, 4.6), sharex=True, layout="constrained", height_ratios=(2, 1))[1])
    if len(axes) != 2:
        raise InputError(f"a forecast needs two axes, not {len(axes)}")
    upper, lower = axes
    truth, forecasts = _single(truth, forecasts)
    t, i = array(truth.t), truth.index(coordinate)
    true = array(truth.z[:, i])
    low, high = true.min(), true.max()
    margin = 0.35 * (high - low) or 0.5
    hamiltonian = getattr(system, "hamiltonian", system if callable(system) else None)
    upper.plot(t, true, color="0.75", linewidth=3, label="truth", solid_capstyle="round")
    errors = []
    for label, orbit, color, line in looks(forecasts):
        path = _until_it_leaves(array(orbit.z[:, i]), low - 3 * margin, high + 3 * margin)
        upper.plot(t, path, color=color, linestyle=line, linewidth=1.1, label=label)
        if hasattr(orbit, "band"):  # the forecast of an ensemble
            below, above = (np.clip(array(limit)[:, i], low - 3 * margin, high + 3 * margin) for limit in orbit.band())
            upper.fill_between(t, below, above, color=color, alpha=0.2, linewidth=0)
        if hamiltonian is None:
            named = replace(orbit, coordinates=truth.coordinates, periods=truth.periods)
            errors.append(_drawable(array(metrics.distance(named, truth))))
        else:
            errors.append(_drawable(array(metrics.energy_deviation(orbit, hamiltonian).abs())))
        lower.semilogy(t[1:], errors[-1][1:], color=color, linestyle=line, linewidth=1.1)
    upper.set(ylabel=axis_label(truth.coordinates[i], truth.units), xlim=(t[0], t[-1]), ylim=(low - margin, high + margin))
    handles, labels = upper.get_legend_handles_labels()
    legend_above(upper, dict(zip(labels, handles, strict=True)))
    quantity = "distance" if hamiltonian is None else r"$|H - E|\,/\,|E|$"
    lower.set(xlabel=axis_label("t", truth.units), ylabel=quantity, xlim=(t[0], t[-1]))
    if seen := [error[1:][np.isfinite(error[1:])] for error in errors]:
        lower.set_ylim(*_decades(seen))
    return upper, lower


def _until_it_leaves(path: Float[np.ndarray, " T"], low: float, high: float) -> Float[np.ndarray, " T"]:
    """Return the path up to the first state well outside the limits, and NaN after it.

    A path that has diverged would otherwise cross the picture repeatedly.
    """
    outside = ~((path >= low) & (path <= high))
    gone = np.concatenate([[False], np.logical_or.accumulate(outside)[:-1]])
    return np.where(gone | ~np.isfinite(path), np.nan, np.clip(path, low, high))


def _drawable(error: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    return _until_it_leaves(np.maximum(error, SMALLEST), 0, LARGEST)


def _decades(errors: list[np.ndarray]) -> tuple[float, float]:
    """Return limits in whole decades that contain all errors, except the dips where an error changes sign."""
    low = min((np.quantile(error, 0.02) for error in errors if len(error)), default=SMALLEST)
    high = max((error.max() for error in errors if len(error)), default=1.0)
    return 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high) + 0.1)


def _single(truth: Orbit, forecasts: Mapping[str, Orbit]) -> tuple[Orbit, dict[str, Orbit]]:
    truth, single = _first(truth), {label: _first(orbit) for label, orbit in forecasts.items()}
    for label, orbit in single.items():
        try:
            check_times(orbit, truth)
        except InputError as error:
            raise InputError(f"the forecast {label!r} cannot be compared with the true orbit: {error}") from error
        if orbit.z.shape != truth.z.shape:
            raise InputError(
                f"the forecast {label!r} has {orbit.dim} coordinates, but needs the {truth.dim} of the true orbit"
            )
    known = truth.measured.all(-1)
    if not known.any():
        raise InputError("the true orbit has no time at which all of its coordinates were measured")
    if known.all():
        return truth, single
    return _at(truth, known), {label: _at(orbit, known) for label, orbit in single.items()}


def _at(orbit: Orbit, known: Bool[Tensor, " T"]) -> Orbit:
    """Return the orbit at some of its times."""
    t, z = orbit.t[known], orbit.z[known]
    return Orbit(t, z, coordinates=orbit.coordinates, periods=orbit.periods, units=orbit.units)


def _first(orbit: Orbit) -> Orbit:
    while len(orbit.shape) > 1:
        orbit = orbit[0]
    return orbit
