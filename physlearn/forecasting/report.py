"""The report of a forecast, which can be printed, drawn and saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from physlearn.forecasting.environment import environment
from physlearn.forecasting.files import finite, write_figure, write_json
from physlearn.forecasting.page import Page
from physlearn.forecasting.trained import Trained
from systems import Orbit
from systems.brief import Told

if TYPE_CHECKING:
    from matplotlib.figure import Figure


COLUMNS = {  # of the printed table: heading, and a format with the significant digits
    "derivative_loss": ("derivative loss", "{:.1e}"),
    "valid_time_median": ("valid time", "{:.1f}"),
    "valid_time": ("valid time", "{:.1f}"),
    "energy_error_median": ("energy error", "{:.1e}"),
    "energy_error_largest": ("(worst orbit)", "{:.1e}"),
    "energy_error": ("energy error", "{:.1e}"),
    "period": ("period", "{:.4f}"),
    "period_median": ("period", "{:.4f}"),
    "amplitude": ("amplitude", "{:.4f}"),
    "amplitude_median": ("amplitude", "{:.4f}"),
    "phase_error_end": ("phase error", "{:+.2f}"),
    "drive": ("drive", "{:.3f}"),
}


@dataclass(frozen=True, repr=False)
class Report(Told):
    """The results of one forecast. As text, it is the title, a table of the main measures, the notes and the duration.

    Parameters
    ----------
    title
        One line.
    table
        One row per contender, the truth first.
    truth, forecasts
        The true orbits, and the forecasts by the label of their contender.
    trained
        The trained models.
    settings
        Everything that determines the result.
    seconds
        Duration of training and forecasting [s].
    draw
        Function that draws the report.
    notes
        Definitions that a reader of the table needs.
    """

    title: str
    table: pd.DataFrame
    truth: Orbit
    forecasts: Mapping[str, Orbit]
    trained: Trained
    settings: Mapping[str, Any]
    seconds: float
    draw: Callable[[Report], Figure]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        notes = (*self._chosen(), *self.notes)
        shown = self._shown().to_string(na_rep="-")
        lines = [self.title, *self._verdict(), shown, *(f"  {note}" for note in notes), f"  {self.seconds:.0f} s in all"]
        return "\n".join(lines)

    @property
    def best(self) -> str | None:
        """The forecast with the longest valid time, and among equals the smallest error; None without valid times."""
        return next(iter(self._ranked()), None)

    def _ranked(self) -> list[str]:
        """Return the forecasts, the best first; without valid times, none."""
        times = [name for name in ("valid_time_median", "valid_time") if name in self.table]
        if not times:
            return []
        second = "derivative_loss" if "derivative_loss" in self.table else times[0]
        rows = self.table.drop(index="truth", errors="ignore")
        return list(rows.sort_values(second).sort_values(times[0], ascending=False, kind="stable").index)

    def _verdict(self) -> list[str]:
        """Return a sentence that names the best forecast."""
        if self.best is None:
            return []
        name = "valid_time_median" if "valid_time_median" in self.table else "valid_time"
        length = float(self.truth.t[-1] - self.truth.t[0])
        return [f"best forecast: {self.best}, valid for {float(self.table[name][self.best]):.1f} of {length:g}"]

    def _shown(self) -> pd.DataFrame:
        """Return the main measures as text, the truth first, and then the best."""
        columns = [name for name in COLUMNS if name in self.table]
        ranked = self._ranked()
        rows = [*(name for name in self.table.index if name not in ranked), *ranked]
        shown = {name: self.table.loc[rows, name].map(COLUMNS[name][1].format, na_action="ignore") for name in columns}
        return pd.concat(shown, axis=1).rename(columns={name: COLUMNS[name][0] for name in columns}).rename_axis(None)

    def _chosen(self) -> list[str]:
        """Return a note about each model that was chosen by validation."""
        return [
            f"{label}: {one.name}, which forecasts the largest part of the validation orbits well; the parts are "
            + ", ".join(f"{name} {score:.2f}" for name, score in one.comparison.score.items())
            for label, one in self.trained.forecasters.items()
            if len(one.comparison)
        ]

    def plot(self) -> Figure:
        """Draw the truth and the best forecasts, with their errors over time."""
        return self.draw(self)

    def metrics(self) -> dict[str, Any]:
        """Return the table as JSON-ready values, with None for values that are not finite."""
        rows = self.table.reset_index().to_dict("records")
        return {"title": self.title, "notes": list(self.notes), "rows": [finite(row) for row in rows]}

    def manifest(self) -> dict[str, Any]:
        """Return versions, machine, command, settings and duration."""
        return {
            "title": self.title,
            **environment(),
            "settings": dict(self.settings),
            "seconds": {"total": self.seconds, "training": dict(self.trained.seconds)},
        }

    def page(self) -> Page:
        """Return the report as a page."""
        return Page(
            title=self.title,
            lead=self._verdict(),
            figures={"": self.plot()},
            tables={"Forecasts": self._shown()},
            notes=(*self._chosen(), *self.notes),
            settings=self.settings,
            seconds=self.seconds,
        )

    def save(self, folder: str | os.PathLike[str], prefix: str = "", *, keep_all: bool = False) -> list[Path]:
        """Write report.html, forecast.png and the best model, model.safetensors; each as a whole or not at all.

        Parameters
        ----------
        folder
            Folder to write to; it is created if it does not exist.
        prefix
            Put before every file name, so that several reports fit in one folder.
        keep_all
            Whether to write all models, the orbits (netCDF), metrics.json and manifest.json as well.

        Returns
        -------
        list of Path
            The files written.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        written = [self.page().save(path / f"{prefix}report.html"), write_figure(path / f"{prefix}forecast.png", self.plot())]
        models = self.trained.forecasters
        if keep_all:
            written.append(write_json(path / f"{prefix}metrics.json", self.metrics()))
            written.append(write_json(path / f"{prefix}manifest.json", self.manifest()))
            for label, orbit in {"truth": self.truth, **self.forecasts}.items():
                written.append(path / f"{prefix}{label.replace(' + ', '_')}.nc")
                orbit.save(written[-1])
        elif self.best is not None:
            models = {"model": models[self.best.split(" + ")[0]]}
        for name, forecaster in models.items():
            written.append(path / f"{prefix}{name}.safetensors")
            forecaster.save(written[-1])
        return written
