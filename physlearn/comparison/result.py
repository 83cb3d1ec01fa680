"""The result of comparing activations, as a table, statistics, pictures and files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from physlearn import schema
from physlearn.comparison import statistics, stored
from physlearn.comparison.markdown import budget_of, label_of, section_of, verdict_of
from physlearn.comparison.statistics import Scale
from physlearn.forecasting.environment import environment
from physlearn.forecasting.page import Page
from systems import InputError
from systems.atomic import atomically
from systems.brief import Told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TABLES = {"table": "results.parquet", "curves": "curves.parquet"}
MANIFEST = "manifest.json"
KEYS = ("meta_seed", "replicate", "variant", "diverged", "learning_rate")


@dataclass(frozen=True, repr=False)
class Comparison(Told):
    """The scores of all networks of a comparison, and statistics over them.

    Parameters
    ----------
    task : str
        Name of the task.
    title : str
        Title of the figure and the report.
    table : DataFrame
        One row per replicate and variant (and meta-seed): the ``loss`` on the test part (and the ``accuracy`` of a
        classifier), ``validation_loss``, ``diverged``, ``learning_rate``, and for each integrator ``valid_time_...`` and
        ``energy_error_...``, which are medians over the test orbits.
    curves : DataFrame
        Quartiles of the validation loss during training, by variant, step and seconds.
    settings : mapping
        The settings of the comparison.
    seconds : float
        Computing time.
    reference : str
        The variant that all others are compared with.
    """

    task: str
    title: str
    table: pd.DataFrame
    curves: pd.DataFrame
    settings: Mapping[str, Any]
    seconds: float
    reference: str

    def __str__(self) -> str:
        overview = self.overview().to_string(float_format="{:.3g}".format, na_rep="")
        return "\n".join(
            [
                self.title,
                verdict_of(self.summary("loss"), self.reference),
                overview,
                f"  {self.budget}",
                f"  {self.seconds:.0f} s in all",
            ]
        )

    @property
    def measures(self) -> list[str]:
        """The columns that can be compared."""
        return [str(name) for name in self.table if name not in KEYS]

    @property
    def networks(self) -> set[tuple[int, int]]:
        """The meta-seed and replicate of each network, which are the same for all variants."""
        return set(self.table[["meta_seed", "replicate"]].itertuples(index=False, name=None))

    def summary(self, measure: str = "loss") -> pd.DataFrame:
        """Summarize a measure: medians and means with bootstrap intervals, and paired tests against the reference.

        Parameters
        ----------
        measure : str, default 'loss'
            One of `measures`.

        Returns
        -------
        DataFrame
            One row per variant. Differences are reference minus other. For losses and energy errors they are differences of
            the mean logarithm, and negative if the reference is better; for valid times and accuracies they are plain, and
            positive if it is better. See `physlearn.comparison.statistics`.
        """
        scale = self.scale(measure)
        summary = statistics.summarize(self.table, measure, scale=scale)
        if len(summary) < 2:
            return summary
        paired = statistics.paired(self.table, measure, self.reference, scale=scale)
        return summary.join(paired.rename(columns={name: f"{name}_paired" for name in paired if name in summary}))

    def overview(self) -> pd.DataFrame:
        """Return the medians of all measures, and the paired test of the losses against the reference.

        Returns
        -------
        DataFrame
            One row per variant.
        """
        frame = pd.DataFrame({label_of(m): self.summary(m)["median"] for m in self.measures if m != "validation_loss"})
        loss = self.summary("loss")
        if "difference" in loss:
            frame.insert(1, f"{self.reference} - it", loss["difference"])
            frame.insert(2, "p", loss["p_holm"])
        if loss["diverged"].any():
            frame["diverged"] = loss["diverged"]
        return frame

    def metrics(self) -> dict[str, Any]:
        """Return the summary of every measure as JSON-ready values.

        Returns
        -------
        dict
            One table per measure, by variant and column. Values that are not finite are None.
        """
        return {measure: json.loads(self.summary(measure).to_json(orient="index")) for measure in self.measures}

    def scale(self, measure: str) -> Scale:
        """Return the scale on which a measure is compared.

        Parameters
        ----------
        measure : str
            One of `measures`. Any other raises InputError.

        Returns
        -------
        {'linear', 'log'}
            'linear' for times and accuracies, and 'log' for all others.
        """
        if measure not in self.measures:
            raise InputError(f"there is no measure {measure!r}; there are {', '.join(self.measures)}")
        return "linear" if measure.startswith(("valid_time", "accuracy")) else "log"

    def plot(self, measure: str = "loss", ax: Axes | None = None) -> Axes:
        """Draw the box plot of a measure, as in the paper.

        Parameters
        ----------
        measure : str, default 'loss'
            One of `measures`.
        ax : Axes, optional
            Where to draw; by default, a new figure.

        Returns
        -------
        Axes
            The axes.
        """
        from physlearn import plotting

        return plotting.box_plot(self.table, measure, ax=ax, scale=self.scale(measure), label=label_of(measure))

    def plot_curves(self, against: str = "step", ax: Axes | None = None) -> Axes:
        """Draw the validation loss during training: medians over the meta-seeds of their quartiles.

        Parameters
        ----------
        against : {'step', 'seconds'}
            The horizontal axis.
        ax : Axes, optional
            Where to draw; by default, a new figure.

        Returns
        -------
        Axes
            The axes.
        """
        if against not in ("step", "seconds"):
            raise InputError(f"learning curves can be drawn against 'step' or 'seconds', not {against!r}")
        from physlearn import plotting

        together = self.curves.groupby(["variant", "step"], sort=False).median().drop(columns="meta_seed").reset_index()
        return plotting.learning_curves(together, against=against, ax=ax, label=label_of("validation_loss"))  # type: ignore[arg-type]

    def figure(self) -> Figure:
        """Draw box plots of the test loss, the accuracy and the forecasts, and the learning curves against steps and seconds.

        Returns
        -------
        Figure
            The figure, which pyplot does not keep.
        """
        from matplotlib import pyplot as plt

        shown = ["loss", *(name for name in self.measures if name.startswith(("accuracy", "valid_time", "energy_error")))]
        columns = (len(shown) + 3) // 2
        figure, axes = plt.subplots(2, columns, figsize=(5.2 * columns, 8.4), layout="constrained", squeeze=False)
        plt.close(figure)  # removes it from pyplot; the caller keeps it
        free = list(axes.T.flatten())
        for measure in shown:
            self.plot(measure, free.pop(0))
        for against in ("step", "seconds"):
            self.plot_curves(against, free.pop(0))
        for ax in free:
            ax.set_axis_off()
        figure.suptitle(self.title)
        return figure

    def to_markdown(self) -> str:
        """Return a report in Markdown with the summary of every measure.

        Returns
        -------
        str
            The report.
        """
        text = [f"# {self.title}", "", self.budget, ""]
        for measure in self.measures:
            text += section_of(measure, self.summary(measure), self.scale(measure), self.reference)
        text += ["Learning rates: " + ", ".join(f"{v} {r:g}" for v, r in self._rates().items()) + ".", ""]
        return "\n".join(text)

    def page(self, figures: Mapping[str, Figure] | None = None) -> Page:
        """Return the report as a page.

        Parameters
        ----------
        figures : mapping of str to Figure, optional
            Figures by their captions, which precede those of the comparison.

        Returns
        -------
        Page
            The page, with the summary of every measure.
        """
        return Page(
            title=self.title,
            lead=[verdict_of(self.summary("loss"), self.reference)],
            figures={**(figures or {}), "Test losses, forecasts and learning curves": self.figure()},
            tables={"Medians": self.overview(), **{label_of(m): self.summary(m) for m in self.measures}},
            notes=[self.budget, "Learning rates: " + ", ".join(f"{v} {r:g}" for v, r in self._rates().items())],
            settings=self.settings,
            seconds=self.seconds,
        )

    def save(self, directory: str | os.PathLike[str], figures: Mapping[str, Figure] | None = None) -> list[Path]:
        """Write the tables, the report, the figure and a manifest.

        All files are written before the first takes its place. The manifest, with checksums of the tables, comes last.

        Parameters
        ----------
        directory : path
            Receives results.parquet, curves.parquet, report.html, comparison.png and manifest.json. It is created if needed.
        figures : mapping of str to Figure, optional
            Further figures for the report, as in `page`.

        Returns
        -------
        list of Path
            The paths of the files.
        """
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / name for name in (*TABLES.values(), "report.html", "comparison.png", MANIFEST)]
        content = {
            "format": stored.FORMAT,
            "title": self.title,
            **environment(),
            "settings": dict(self.settings),
            "reference": self.reference,
            "seconds": self.seconds,
        }
        with ExitStack() as stack:  # moves the files into place, from the last to the first, once all are written
            *files, report, picture, manifest = reversed([stack.enter_context(atomically(path)) for path in reversed(paths)])
            for file, frame in zip(files, (self.table, self.curves), strict=True):
                frame.to_parquet(file)
            report.write_text(self.page(figures).html(), encoding="utf-8")
            self.figure().savefig(picture, format="png", dpi=120, bbox_inches="tight")
            checksums = {name: stored.checksum(file) for name, file in zip(TABLES.values(), files, strict=True)}
            manifest.write_text(stored.sealed(content, checksums))
            if not stored.seals(paths[-1]):  # an older version's, which cannot reveal that the tables changed
                paths[-1].unlink(missing_ok=True)
        return paths

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Comparison:
        """Read a comparison that `save` wrote.

        Parameters
        ----------
        directory : path
            The folder.

        Returns
        -------
        Comparison
            The comparison.

        Raises
        ------
        InputError
            If the folder holds no comparison, or its tables do not match the manifest because another run stopped while
            saving.
        """
        folder = Path(directory)
        try:
            manifest = stored.manifest(folder / MANIFEST)
            stored.check_seals(manifest, folder, TABLES.values())
            table = stored.table(folder / TABLES["table"], [*KEYS, "loss"])
            curves = stored.table(folder / TABLES["curves"], ["meta_seed", "variant", "step", "seconds"])
            stored.check(manifest, table, curves)
        except Exception as error:  # parquet raises many types of errors for foreign or damaged files
            raise InputError(f"{folder} holds no comparison ({type(error).__name__}: {schema.shown(error)})") from error
        return cls(
            task=manifest["settings"]["task"],
            title=manifest["title"],
            table=table,
            curves=curves,
            settings=manifest["settings"],
            seconds=manifest["seconds"],
            reference=manifest["reference"],
        )

    def _rates(self) -> dict[str, float]:
        return {
            str(name): float(rate)
            for name, rate in self.table.groupby("variant", sort=False)["learning_rate"].median().items()
        }

    @property
    def budget(self) -> str:
        """What was trained and how the variants are compared, in words."""
        return budget_of(self.table, self.settings, self.reference)
