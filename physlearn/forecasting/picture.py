"""Figures of simulated, tracked and forecast orbits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from physlearn import metrics, models, plotting
from physlearn.chaos import Family
from physlearn.forecasting.report import Report
from physlearn.plotting.configuration import level_lines
from systems import Orbit, System
from systems.film import Tracking

PORTRAYED = 8  # number of orbits of a batch in one phase portrait
SHOWN = 3  # number of forecasts beside the truth


def of_axes(draw: Callable[[Axes], object], size: tuple[float, float]) -> Figure:
    """Return a figure of the given size in inches, on whose only axes ``draw`` has drawn."""
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    plt.close(figure)  # removes it from pyplot only
    draw(ax)
    return figure


def of_orbit(orbit: Orbit, system: System) -> Figure:
    """Draw a phase portrait and, for two or more degrees of freedom, the path in configuration space beside it."""
    planar = orbit.dim >= 4
    figure, axes = plt.subplots(1, 1 + planar, figsize=(4.5 * (1 + planar), 4.3), layout="constrained", squeeze=False)
    plotting.phase_portrait(orbit, ax=axes[0, -1])
    if planar:
        plotting.configuration_orbit(orbit, system=system, ax=axes[0, 0])
    plt.close(figure)  # removes it from pyplot only
    return figure


def of_tracking(tracking: Tracking) -> Figure:
    """Draw the result of tracking a film."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.4), layout="constrained")
    plotting.tracking_plot(tracking, axes=axes.T.flatten())
    plt.close(figure)  # removes it from pyplot only
    return figure


def of_family(family: Family) -> Figure:
    """Draw the period of a family of periodic orbits and their largest multiplier against the parameter."""
    second = "energy" if family.parameter == "period" else "period"
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    family.plot(second, ax=axes[0])
    family.plot("largest", ax=axes[1])
    axes[1].set_ylabel(r"largest $|\mu|$")
    plt.close(figure)  # removes it from pyplot only
    return figure


def of_forecast(report: Report, system: System) -> Figure:
    """Draw the true orbits and the best forecasts, with time series and the energy error below."""
    spatial = report.truth.dim >= 4

    def draw(ax: Axes, orbit: Orbit) -> None:
        if spatial:
            plotting.configuration_orbit(orbit[0], ax=ax, linewidth=0.5)
        else:
            plotting.phase_portrait(orbit[:PORTRAYED], ax=ax)

    def behind(ax: Axes) -> None:
        if spatial:
            level_lines(report.truth[0], system, ax)

    best = _best(report, "valid_time_median")
    figure, axes = _portraits({"truth": report.truth, **best}, draw, height=7.2, rows=(2, 1), behind=behind)
    plotting.forecast_plot(report.truth, best, system, axes=(axes[0], axes[1]))
    return figure


def of_recording(report: Report, energy: Callable[[Tensor], Tensor]) -> Figure:
    """Draw phase portraits of a recording and of the best forecasts, with angle, energy and phase error below."""
    best = _best(report, "valid_time")
    figure, axes = _portraits(
        {"record": report.truth, **best}, lambda ax, orbit: plotting.phase_portrait(orbit, ax=ax), height=8.6, rows=(2, 1, 1)
    )
    plotting.forecast_plot(report.truth, best, energy, axes=(axes[0], axes[1]))
    errors = {label: metrics.phase_error(orbit, report.truth) for label, orbit in best.items()}
    plotting.phase_error_plot(report.truth.t, errors, ax=axes[2])
    axes[1].set(xlabel="")
    axes[2].set(xlabel="$t$ [s]")
    return figure


def _portraits(
    orbits: Mapping[str, Orbit],
    draw: Callable[[Axes, Orbit], object],
    height: float,
    rows: tuple[int, ...],
    behind: Callable[[Axes], object] = lambda ax: None,
) -> tuple[Figure, list[Axes]]:
    """Draw a row of orbits within the limits of the first, and return the figure and axes with a common time axis below.

    ``behind`` draws behind each orbit, once the limits are set, and may widen them.
    """
    figure = plt.figure(figsize=(10, height), layout="constrained")
    plt.close(figure)  # removes it from pyplot only
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=(2, sum(rows) - 0.3)))
    portraits = upper.subplots(1, len(orbits), sharex=True, sharey=True)
    for ax, (label, orbit) in zip(portraits, orbits.items(), strict=True):
        draw(ax, orbit)
        ax.set_title(label.replace(" + ", "\n+ "), fontsize="medium")  # names are longer than panels are wide
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.label_outer()
    _limit(portraits[0], next(iter(orbits.values())))
    for ax in portraits:
        behind(ax)
    return figure, list(lower.subplots(len(rows), 1, sharex=True, height_ratios=rows))


def _best(report: Report, merit: str) -> dict[str, Orbit]:
    """Return an Euler forecast for contrast, if there is one, and the best of the others, networks before baselines."""
    rows = report.table.drop(index="truth").sort_values([merit, "derivative_loss"], ascending=[False, True])
    euler = [label for label in rows.index if label.endswith("euler")][-1:]
    others = [label for label in rows.index if not label.endswith("euler")]
    others.sort(key=lambda label: models.find(label.split(" + ")[0]).baseline)  # the sort is stable
    return {label: report.forecasts[label] for label in [*euler, *others][:SHOWN]}


def _limit(ax: Axes, truth: Orbit) -> None:
    """Set the limits of the axes from the truth, so that forecasts that diverge do not shrink it."""
    i, j = (0, 1) if truth.dim >= 4 else (0, truth.dim // 2)
    shown = truth if len(truth.shape) == 1 else truth[0] if truth.dim >= 4 else truth[:PORTRAYED]
    z = shown.z.flatten(0, -2)[:, [i, j]]
    low, high = z.amin(0), z.amax(0)
    margin = 0.3 * (high - low)
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    ax.set(xlim=(x0, x1), ylim=(y0, y1))
