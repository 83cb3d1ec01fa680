"""The pictures of a simulation or of a forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from physlearn import metrics, plotting
from physlearn.forecasting.recorded import fit_pendulum
from physlearn.forecasting.report import Report, write_figure
from physlearn.models.build import BASELINES
from systems import InputError, Orbit, System

FORMATS = (".png", ".svg", ".pdf")
SHOWN = 3  # forecasts in a row of orbits, beside the truth


def check_format(path: Path) -> None:
    """Raise InputError for a picture of another kind than matplotlib writes well."""
    if path.suffix not in FORMATS:
        raise InputError(f"a picture is written as {', '.join(FORMATS)}, not {path.name}")


def of_orbit(orbit: Orbit, system: System) -> Figure:
    """Phase portrait, and for two degrees of freedom the path in configuration space beside it."""
    planar = orbit.dim >= 4
    figure, axes = plt.subplots(1, 1 + planar, figsize=(4.5 * (1 + planar), 4.3), layout="constrained", squeeze=False)
    plotting.phase_portrait(orbit, ax=axes[0, -1])
    if planar:
        plotting.configuration_orbit(orbit, system=system, ax=axes[0, 0])
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    return figure


def of_forecast(report: Report, system: System, directory: Path) -> list[Path]:
    """Write forecast.png: orbits of truth and the best forecasts, and below them time series and energy error."""
    best = _best(report, "valid_time_median")
    figure = plt.figure(figsize=(10, 7.2), layout="constrained")
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=(1, 1.35)))
    row = upper.subplots(1, 1 + len(best), sharex=True, sharey=True)
    for ax, (label, orbit) in zip(row, {"truth": report.truth, **best}.items(), strict=True):
        if orbit.dim >= 4:
            plotting.configuration_orbit(orbit[0], system=system, ax=ax, linewidth=0.5)
        else:
            plotting.phase_portrait(orbit[:8], ax=ax)
        ax.set_title(label, fontsize="medium")
        ax.label_outer()
    _limit(row[0], report.truth[:8] if report.truth.dim < 4 else report.truth[0])
    axes = lower.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    plotting.forecast_plot(report.truth, best, system, axes=tuple(axes))
    plt.close(figure)
    return [write_figure(directory / "forecast.png", figure)]


def of_recording(report: Report, directory: Path, prefix: str) -> list[Path]:
    """Write forecast.png of a recording: phase portraits, angle, energy and phase error over time."""
    best = _best(report, "valid_time")
    figure = plt.figure(figsize=(10, 8.6), layout="constrained")
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=(1, 1.7)))
    row = upper.subplots(1, 1 + len(best), sharex=True, sharey=True)
    for ax, (label, orbit) in zip(row, {"record": report.truth, **best}.items(), strict=True):
        plotting.phase_portrait(orbit, ax=ax)
        ax.set_title(label, fontsize="medium")
        ax.label_outer()
    _limit(row[0], report.truth)
    axes = lower.subplots(3, 1, sharex=True, height_ratios=(2, 1, 1))
    _, energy = fit_pendulum(report.truth)
    plotting.forecast_plot(report.truth, best, energy, axes=tuple(axes[:2]))
    errors = {label: metrics.phase_error(orbit, report.truth) for label, orbit in best.items()}
    plotting.phase_error_plot(report.truth.t, errors, ax=axes[2])
    axes[1].set(xlabel="")
    axes[2].set(xlabel="$t$ [s]")
    plt.close(figure)
    return [write_figure(directory / f"{prefix}forecast.png", figure)]


def film(orbit: Orbit, path: Path, *, progress: bool) -> Path:
    """Write the orbit as a film."""
    return plotting.animate(orbit, path, progress=progress)


def _best(report: Report, merit: str) -> dict[str, Orbit]:
    """Euler's forecast for contrast, if there is one, and the best of the others, networks before baselines."""
    rows = report.table.drop(index="truth").sort_values([merit, "rate_loss"], ascending=[False, True])
    euler = [label for label in rows.index if label.endswith("euler")][-1:]
    others = [label for label in rows.index if not label.endswith("euler")]
    others.sort(key=lambda label: label.split(" + ")[0] in BASELINES)  # stable: the order among them stays
    return {label: report.forecasts[label] for label in [*euler, *others][:SHOWN]}


def _limit(ax: Axes, truth: Orbit) -> None:
    """Set the axes by the truth: a forecast that leaves does not shrink it."""
    i, j = (0, 1) if truth.dim >= 4 else (0, truth.dim // 2)
    z = truth.z.flatten(0, -2)[:, [i, j]]
    low, high = z.amin(0), z.amax(0)
    margin = 0.3 * (high - low)
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    ax.set(xlim=(x0, x1), ylim=(y0, y1))
