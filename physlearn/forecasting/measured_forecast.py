"""Forecasts of measurements: learn from some runs, or the beginning of each, and forecast the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn import models
from physlearn.forecasting.bands import BandedOrbit
from physlearn.forecasting.best import judged
from physlearn.forecasting.environment import environment
from physlearn.forecasting.files import finite, write_figure, write_json, write_table
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.held_out import Split, split
from physlearn.forecasting.measurements import Measurements, columns_of
from physlearn.forecasting.page import Page
from physlearn.forecasting.state_losses import check_name
from physlearn.metrics import valid_prediction_time
from physlearn.models.build import check_given
from physlearn.models.options import suited
from physlearn.schema import Json
from physlearn.training import Training
from systems import InputError, IntegrationError, Orbit
from systems.brief import Told
from systems.periodic import shortest
from systems.recording.velocities import sources_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEST_DRAWN = 2  # forecasts in the picture
BAND = 0.9  # probability of the bands in the table
ANY = ("linear", "polynomial", "nn", "next-generation-reservoir", "echo-state")
MECHANICAL = ("hnn-mechanical", "dissipative-hnn-mechanical")  # of positions with velocities


def line_up(measurements: Measurements, model: str | None = None) -> tuple[str, ...]:
    """Return the names of the models that suit the measurements, or the model that is asked for.

    Raises UnknownNameError for an unknown model, and InputError if it does not take the parameters and inputs.
    """
    given = len(measurements.channels.names)
    if model is not None:
        models.find(model)
        check_given(model, given)
        return (model,)
    paired = bool(measurements.pairs) or measurements.positions
    names = [*ANY, *(MECHANICAL if paired else ())]
    return tuple(name for name in names if not given or models.find(name).takes_given)


@dataclass(frozen=True, repr=False)
class MeasuredForecast(Told):
    """The forecasts of held-out measurements. As text, it says what was understood, and how good the forecasts are.

    Parameters
    ----------
    measurements : Measurements
        The data.
    parts : Split
        The runs of each part, with velocities where these were derived.
    forecasters : dict of str to Forecaster
        Trained forecasters by the name of the model, the best first.
    forecasts : dict of str to list of Orbit
        Forecasts of the test runs, by the name of the model.
    table : DataFrame
        One row per model: valid times, and errors in the units of the file.
    seconds : float
        Duration.
    settings : dict
        What determines the result.
    notes : tuple of str
        What a reader of the table should know.
    """

    measurements: Measurements
    parts: Split
    forecasters: Mapping[str, Forecaster]
    forecasts: Mapping[str, list[Orbit]]
    table: pd.DataFrame
    seconds: float
    settings: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def best(self) -> str:
        """The name of the model with the best forecasts of the validation runs."""
        return next(iter(self.forecasters))

    def __str__(self) -> str:
        text = self.table.to_string(float_format=lambda x: f"{x:.4g}", na_rep="-")
        data = [str(self.measurements), f"  {self.parts.told}"]
        return "\n".join([*data, self._verdict(), text, *(f"  {note}" for note in self.notes)])

    def _verdict(self) -> str:
        """Return a sentence that names the best model."""
        valid = next(str(name) for name in self.table if str(name).startswith("valid"))
        time, part = (float(self.table[name][self.best]) for name in (valid, "of the length"))
        unit = valid.removeprefix("valid").strip(" []")
        shown = f"{time:.4g} {unit}".rstrip()
        return f"best model: {self.best}, valid for {shown}, which is {part:.0%} of a test run"

    def metrics(self) -> dict[str, Any]:
        """Return the table, the split, the noise and the notes as JSON-ready values."""
        rows = self.table.rename_axis("model").reset_index().to_dict("records")
        return {
            "measurements": str(self.measurements).splitlines(),
            "split": self.parts.told,
            "best": self.best,
            "rows": [finite(row) for row in rows],
            "noise": {k: v if np.isfinite(v) else None for k, v in self.forecasters[self.best].noise.items()},
            "notes": list(self.notes),
        }

    def plot(self) -> Figure:
        """Draw the first test run and the best forecasts of it, with the band of an ensemble."""
        from matplotlib import pyplot as plt  # importing it is slow

        from physlearn.plotting import measured_plot

        shown = list(self.forecasters)[:BEST_DRAWN]
        truth = self.parts.test[0]
        states = self.forecasts[self.best][0].coordinates
        past = self.parts.validation[0] if self.parts.cut else None
        drawn = {name: self.forecasts[name][0] for name in shown}
        axes = measured_plot(columns_of(truth, states), drawn, None if past is None else columns_of(past, states))
        figure: Any = axes[0].figure
        plt.close(figure)  # removes it from pyplot only
        return figure

    def rows(self) -> pd.DataFrame:
        """Return the best forecasts beside the measurements, one row per measured time."""
        tables = []
        for number, (truth, forecast) in enumerate(zip(self.parts.test, self.forecasts[self.best], strict=True)):
            past = (len(truth.t) - len(forecast.t), 0)  # times that a model with memory continues
            unit = truth.units.get("t")
            columns: dict[str, Any] = {"run": number, f"t [{unit}]" if unit else "t": truth.t.numpy()}
            band = forecast.limits(BAND) if isinstance(forecast, BandedOrbit) else None
            derived = sources_of(truth)
            for i, name in enumerate(forecast.coordinates):
                label = f" [{truth.units[name]}]" if name in truth.units else ""
                known = f"{name} derived" if truth.index(name) in derived else name
                columns[f"{known}{label}"] = truth.z[:, truth.index(name)].numpy()
                columns[f"{name} forecast{label}"] = np.pad(forecast.z[:, i], past, constant_values=np.nan)
                for what, limit in zip(("lower", "upper"), band or (), strict=False):
                    columns[f"{name} {what}{label}"] = np.pad(limit[:, i], past, constant_values=np.nan)
            tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True)

    def page(self) -> Page:
        """Return the forecasts as a page."""
        return Page(
            title=f"Forecast of {self.measurements.name}",
            lead=[self._verdict()],
            figures={"": self.plot()},
            tables={"Forecasts": self.table},
            notes=[*str(self.measurements).splitlines(), self.parts.told, *self.notes],
            settings=self.settings,
            seconds=self.seconds,
        )

    def save(self, folder: str | os.PathLike[str], *, keep_all: bool = False) -> list[Path]:
        """Write report.html, forecast.png, forecast.csv, and model.safetensors of the best model, and return the paths.

        With ``keep_all``, the other models and report.json are written, too.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        written = [
            self.page().save(path / "report.html"),
            write_figure(path / "forecast.png", self.plot()),
            write_table(path / "forecast.csv", self.rows()),
        ]
        models = {"model": self.forecasters[self.best]}
        if keep_all:
            models |= {name: f for name, f in self.forecasters.items() if name != self.best}
            told: Json = {**self.metrics(), **environment(), "settings": dict(self.settings), "seconds": self.seconds}
            written.append(write_json(path / "report.json", told))
        for name, forecaster in models.items():
            written.append(path / f"{name}.safetensors")
            forecaster.save(written[-1])
        return written


def forecast_measurements(
    measurements: Measurements,
    names: Sequence[str],
    *,
    loss: str | None = None,
    members: int = 1,
    seed: int = 0,
    progress: bool = True,
    training: Mapping[str, Any] | None = None,
    **network: Any,
) -> MeasuredForecast:
    """Train models on measurements, choose one by the validation runs, and forecast the test runs.

    Parameters
    ----------
    measurements
        The data.
    names
        Models, as from `line_up`.
    loss
        The loss of ``Forecaster.fit``; by default, the one that suits the data.
    members
        Number of networks of an ensemble, whose bands are calibrated on the validation runs.
    seed, progress
        As for `physlearn.forecasting.Forecaster`.
    training, network
        Settings of ``Forecaster.fit`` and of `physlearn.forecasting.Forecaster`.

    Returns
    -------
    MeasuredForecast
        The forecasts.

    Raises
    ------
    InputError
        If there are too few times, or if a model cannot be trained on such data.
    """
    start = time.perf_counter()
    Training(**{key: value for key, value in (training or {}).items() if key in Training.__dataclass_fields__})
    if loss is not None:
        check_name(loss)
    channels = measurements.channels
    parts = split(measurements.runs)
    if measurements.positions:  # each part for itself, so that the training does not know what follows
        first, second, last = (
            Orbit.of(part).with_velocities(measurements.states).separate()
            for part in (parts.training, parts.validation, parts.test)
        )
        parts = replace(parts, training=first, validation=second, test=last)
    held, tests = parts.held(), parts.tested()
    forecasters: dict[str, Forecaster] = {}
    found: dict[str, dict[str, float]] = {}
    forecasts: dict[str, list[Orbit]] = {}
    notes: list[str] = []
    untrained = {  # so that wrong settings are refused before anything is trained
        name: Forecaster(
            name,
            seed=seed,
            parameters=channels.parameters,
            inputs=channels.inputs,
            **suited(name, network | {"members": members}),
        )
        for name in names
    }
    for name, f in tqdm(untrained.items(), disable=not progress, desc="models", leave=False):
        how: dict[str, Any] = {**(training or {}), "progress": progress}
        how["loss"] = None if models.find(name).baseline else loss
        try:
            f.fit(parts.training, parts.validation, **how)
            found[name] = judged(f, [one.extended(f) for one in held])
            if f.members and len(held) > 1:
                f.calibrate([one.run for one in held])
            forecasts[name] = [one.forecast(f) for one in tests]
        except (InputError, IntegrationError) as error:
            if len(names) == 1:
                raise
            notes.append(f"{name} is left out: {error}")
        else:
            forecasters[name] = f
    if not forecasters:
        raise InputError(f"no model can learn these measurements; {notes[0]}")
    order = sorted(forecasters, key=lambda name: (-found[name]["score"], found[name]["error"]))
    if members > 1 and len(held) < 2:
        notes.append(
            "the bands are not calibrated, because there is only one held-out run beside the test runs: they show where the "
            "networks differ, and may be too narrow"
        )
    rows = [_row(name, forecasts[name], [one.run for one in tests], found[name]["score"]) for name in order]
    best = forecasters[order[0]]
    unit = measurements.runs[0].units.get("t", "")
    if best.loss:
        notes.append(f"loss: {best.loss}, because {best.loss_reason}")
    if noise := {name: best.noise[name] for name in measurements.states if np.isfinite(best.noise.get(name, np.nan))}:
        sizes = (f"{name} {value:.3g}{' ' + u if (u := best.units.get(name, '')) else ''}" for name, value in noise.items())
        notes.append("noise, estimated: " + ", ".join(sizes))
    if isinstance(trusted := forecasts[order[0]][0], BandedOrbit):
        until = trusted.trusted_until()
        told = f"for {float(until.time):.4g} +- {float(until.error):.2g} {unit}".rstrip()
        whole = float(until.time) >= float((trusted.t[-1] - trusted.t[0]).abs())
        calibrated = "" if trusted.calibration is not None else ", by bands that are not calibrated"
        notes.append(f"first test run: trusted {'to its end' if whole else told}{calibrated}")
    if not parts.cut and (continuing := [name for name in order if forecasters[name].past_length]):
        notes.append(f"{' and '.join(continuing)}: the first states of each run are continued, and the rest is forecast")
    if derived := [parts.test[0].coordinates[i] for i in sources_of(parts.test[0])]:
        notes.append(f"derived from measured positions, which adds to their errors: {', '.join(derived)}")
    notes += [
        "score: part of the validation runs that is forecast well, by which (and then by the error) the models are sorted",
        "valid: median time until the error exceeds 0.4 of the spread of a test run, and the part of its length",
        "error: root mean square over the test runs, with their noise",
    ]
    return MeasuredForecast(
        measurements=measurements,
        parts=replace(parts, test=[one.run for one in tests]),
        forecasters={name: forecasters[name] for name in order},
        forecasts={name: forecasts[name] for name in order},
        table=pd.DataFrame(rows).set_index("model").rename_axis(None),
        seconds=time.perf_counter() - start,
        settings={
            "models": list(names),
            "loss": loss,
            "members": members,
            "seed": seed,
            "network": network,
            "training": {name: asdict(f.training) for name, f in forecasters.items() if f.training},
            "parameters": list(channels.parameters),
            "inputs": list(channels.inputs),
        },
        notes=tuple(notes),
    )


def _row(model: str, forecasts: Sequence[Orbit], test: Sequence[Orbit], score: float) -> dict[str, Any]:
    names = forecasts[0].coordinates
    plain = [columns_of(orbit, names) for orbit in forecasts]
    truths = [columns_of(run[len(run.t) - len(f.t) :], names) for run, f in zip(test, plain, strict=True)]
    valid = torch.stack([valid_prediction_time(f, t) for f, t in zip(plain, truths, strict=True)]).double()
    length = torch.stack([(t.t[-1] - t.t[0]).abs() for t in truths])
    units = truths[0].units
    time_label = f"valid [{units['t']}]" if "t" in units else "valid"
    row: dict[str, Any] = {"model": model, "score": score, time_label: float(valid.median())}
    row["of the length"] = float((valid / length).mean())
    off = torch.cat([shortest(f.z - t.z, t.periods, names) for f, t in zip(plain, truths, strict=True)])
    for name, error in zip(names, off.square().nanmean(0).sqrt().tolist(), strict=True):
        row[f"error {name} [{units[name]}]" if name in units else f"error {name}"] = error
    return row
