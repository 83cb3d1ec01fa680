"""Forecasts of a recorded oscillation: learn from its beginning, forecast the rest, and compare it with the recording."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from math import pi
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from torch import Tensor

from physlearn import metrics
from physlearn.forecasting.contender import Contender
from physlearn.forecasting.files import write_figure
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.report import Report
from physlearn.forecasting.trained import fit_all, forecast_all
from physlearn.training import join, longest_stretch, split_time
from systems import InputError, Orbit
from systems import film as films

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES: tuple[Literal["file", "derived"], ...] = ("file", "derived")
TRAINING, VALIDATION = 0.7, 0.1  # together the first 80 %; the rest is forecast


def read_recording(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> dict[str, list[Orbit]]:
    """Read a recorded angle with the rates of the file, and with rates derived from the angle.

    Parameters
    ----------
    path, columns
        As for `Orbit.from_csv`.

    Returns
    -------
    dict of str to list of Orbit
        Under ``"file"`` with the file's rates, if it has any, and under ``"derived"`` with derived ones.
    """
    readings: dict[str, list[Orbit]] = {}
    for rates in RATES:  # one line for both calls, so that a warning that both raise is shown once
        readings[rates] = Orbit.from_csv(path, columns, rates=rates)
    if set(readings["file"][0].provenance["rates"].values()) == {"derived"}:
        return {"derived": readings["derived"]}
    return readings


def read_film(
    film: str | os.PathLike[str],
    folder: Path,
    *,
    markers: str | Sequence[tuple[float, float]] | None = None,
    pendulums: int | None = None,
    pendulum: int = 0,
    focal_length: float | None = None,
    progress: bool = True,
) -> tuple[dict[str, list[Orbit]], list[Path]]:
    """Track a film, write angles.csv and track.png to the folder, and return the recording of one pendulum.

    Parameters
    ----------
    film, markers, pendulums, focal_length, progress
        As for `systems.film.track`.
    folder
        Folder to write to.
    pendulum : default 0
        Number of the pendulum, counted from the left.

    Returns
    -------
    recordings : dict of str to list of Orbit
        Under ``"film"``, the stretches of the recording, as from `read_recording`.
    written : list of Path
        The files written.

    Raises
    ------
    InputError
        If the film does not show the pendulum, or has no stretch of it without gaps that is long enough.
    """
    from physlearn.forecasting import picture  # importing Matplotlib is slow

    tracked = films.track(film, markers=markers, pendulums=pendulums, focal_length=focal_length, progress=progress)
    if not 0 <= pendulum < len(tracked.report):
        raise InputError(f"the film shows {len(tracked.report)} pendulums, counted from 0, and none is number {pendulum}")
    tracked.save_csv(folder / "angles.csv")
    written = [folder / "angles.csv", write_figure(folder / "track.png", picture.of_tracking(tracked))]
    orbits = [orbit for orbit in tracked.orbits if orbit.provenance["pendulum"] == pendulum]
    if not orbits:
        raise InputError("the film has no stretch without gaps that is long enough to learn from: give a longer film")
    return {"film": orbits}, written


def forecast_recording(
    orbits: Sequence[Orbit],
    contenders: Sequence[Contender],
    *,
    name: str,
    gap: int | None = None,
    duration: float | None = None,
    seed: int = 0,
    progress: bool = True,
    training: Mapping[str, Any] | None = None,
    **network: Any,
) -> Report:
    """Train on the first 80 % of a recording, the last eighth of which is for validation, and forecast the rest.

    Parameters
    ----------
    orbits
        Stretches of the recording, (angle, velocity), from `Orbit.from_csv` or a tracked film. All stretches in the training
        block are used; in the test block, the longest stretch is forecast from its first state.
    contenders, seed, progress, training, network
        As for `physlearn.forecasting.simulated.forecast_system`.
    name
        Name of the recorded system, for the title.
    gap
        Number of samples left out between two blocks of time; defaults to the window of the filter that computed the rates,
        which is the shortest gap for which no sample affects two blocks.

    duration
        Duration of the forecast; defaults to all of the test block's longest stretch.

    Raises
    ------
    InputError
        If the recording does not oscillate about a centre, or the test block is shorter than the forecast.
    """
    start = time.perf_counter()
    gap = orbits[0].provenance["filter"]["window"] if gap is None else gap
    recording = join(orbits)
    learned, validation, rest = split_time(recording, (TRAINING, VALIDATION, 1 - TRAINING - VALIDATION), gap)
    test = longest_stretch(rest)
    if duration is not None:
        longest = float(test.t[-1] - test.t[0])
        within = test.t - test.t[0] <= duration
        if not (0 < duration <= longest and int(within.sum()) > 1):
            raise InputError(f"the forecast must be longer than one step and last at most {longest:.3g}, not {duration:g}")
        test = test[..., : int(within.sum())]
    trained = fit_all(contenders, learned, validation, progress=progress, training=training or {}, seed=seed, **network)
    forecasts = forecast_all(contenders, trained, test.z[0], test.t, progress=progress)
    frequency, energy = fit_pendulum(learned)
    rows = [_row("truth", test, test, None, energy)]
    rows += [_row(c.label, forecasts[c.label], test, trained.forecasters[c.model], energy) for c in contenders]
    unit = recording.provenance.get("units", {}).get("t", "s")
    lasted = float(test.t[-1] - test.t[0])
    filmed = "film" in recording.provenance
    derived = "derived" in recording.provenance["rates"].values()
    gain = recording.provenance["filter"].get("acceleration_gain", 1.0)
    flattened = (
        f"the filter keeps {gain:.4f} of the acceleration, so models that learn from it oscillate too slowly: expect periods "
        f"that are {100 * (gain**-0.5 - 1):.2f} % too long"
    )
    return Report(
        title=f"{name}: {lasted:.1f} {unit} forecast from one recorded state, rates from the "
        + ("film" if filmed else "angle" if derived else "file"),
        table=pd.DataFrame(rows).set_index("forecast"),
        truth=test,
        forecasts=forecasts,
        trained=trained,
        settings={
            "recording": dict(recording.provenance),
            "stretches": [len(orbit.t) for orbit in orbits],
            "blocks": {
                part: [float(block.t[0]), float(block.t[-1])]
                for part, block in (("training", learned), ("validation", validation), ("test", test))
            },
            "gap": gap,
            "seed": seed,
            "contenders": [list(c) for c in contenders],
            "training": {model: asdict(f.training) for model, f in trained.forecasters.items() if f.training},
            "network": network,
            "pendulum_frequency": frequency,
        },
        seconds=time.perf_counter() - start,
        draw=_drawn,
        notes=(
            "derivative loss: mean of (dz/dt - recorded)^2 over samples and components of the forecast block [units of the "
            "file]",
            "phase error: phase by which the forecast is ahead at the end of the block [rad]",
            "valid time: time until the error exceeds 0.4 of the spread of the recording (rms over coordinates, each in "
            f"standard deviations); at most {lasted:.1f} {unit}",
            f"energy error: largest |H - E| / |E|, with H = omega^2/2 + ({frequency:.5g}/{unit})^2 (1 - cos theta) of the "
            "pendulum fitted to the training block; the row 'truth' shows how much the energy of the real clock varies",
            *(
                ["drive: rms of the learned force that changes sign with the velocity, relative to that of the acceleration"]
                if any("drive" in row for row in rows)
                else []
            ),
            *([flattened] if derived and gain < 1 else []),
        ),
    )


def _drawn(report: Report) -> Figure:
    from physlearn.forecasting import picture  # importing Matplotlib is slow

    return picture.of_recording(report, fit_pendulum(report.truth)[1])


def fit_pendulum(orbit: Orbit) -> tuple[float, Callable[[Tensor], Tensor]]:
    """Fit a pendulum by least squares of the acceleration on sin(angle).

    Returns
    -------
    frequency : float
        Angular frequency of small swings, in radians per unit of time.
    energy : callable
        Function of states ``(..., 2)`` that returns the energy per moment of inertia, with angles converted to radians.

    Raises
    ------
    InputError
        If the acceleration does not oppose the angle.
    """
    assert orbit.rate is not None  # from_csv computes rates
    radian = 2 * pi / orbit.periods.get(orbit.coordinates[0], 2 * pi)
    middle = orbit.z[..., 0].mean()
    sine = (radian * (orbit.z[..., 0] - middle)).sin()
    square = float(-(sine * radian * orbit.rate[..., 1]).sum() / sine.square().sum())
    if not square > 0:
        raise InputError(
            "the recording does not oscillate about a centre, because its acceleration does not oppose the angle: check the "
            "columns of the file"
        )
    return square**0.5, lambda z: (radian * z[..., 1]).square() / 2 + square * (1 - (radian * (z[..., 0] - middle)).cos())


def _row(
    label: str, orbit: Orbit, truth: Orbit, flow: Forecaster | None, energy: Callable[[Tensor], Tensor]
) -> dict[str, Any]:
    phase = metrics.phase_error(orbit, truth)
    row: dict[str, Any] = {
        "forecast": label,
        "derivative_loss": 0.0 if flow is None else float(metrics.derivative_loss(flow, truth)),
        "valid_time": float(metrics.valid_prediction_time(orbit, truth)),
        "energy_error": float(metrics.energy_error(orbit, energy)),
        "period": float(metrics.period(orbit)),
        "amplitude": float(metrics.amplitude(orbit)),
    }
    if flow is not None and hasattr(flow.model, "drive"):
        assert truth.rate is not None  # from_csv computes rates
        force = flow.model.drive(truth.z.to(flow.dtype)).double()
        row["drive"] = float(force.square().mean().sqrt() / truth.rate[..., 1].square().mean().sqrt())
    for name, fraction in (("quarter", 0.25), ("half", 0.5), ("end", 1.0)):
        row[f"phase_error_{name}"] = float(phase[round(fraction * (len(phase) - 1))])
    return row
