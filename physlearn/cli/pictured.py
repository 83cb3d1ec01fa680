"""The picture and the report that a command writes where ``--plot`` and ``--report`` ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from physlearn.forecasting import page
from physlearn.forecasting.files import write_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OUTPUTS = ("out", "plot", "report", "animation", "overlay", "as_json")  # options that do not change the result


def write(
    context: typer.Context,
    plot: Path | None,
    report: Path | None,
    draw: Callable[[], Figure] | None,
    title: str,
    tables: Mapping[str, pd.DataFrame],
    notes: Sequence[str] = (),
) -> list[Path]:
    """Write the picture and the report, and return the paths of those that were asked for.

    Parameters
    ----------
    context
        The call of the command, whose options are the settings of the report.
    plot, report
        Where to write them; None if they are not asked for.
    draw
        Function that draws the picture, which is called at most once; None if there is none.
    title, tables, notes
        As for `~physlearn.forecasting.page.Page`.
    """
    if plot is None and report is None:
        return []
    figure = None if draw is None else draw()
    written = []
    if plot is not None and figure is not None:
        written.append(write_figure(plot, figure))
    if report is not None:
        written.append(write_report(context, report, {} if figure is None else {"": figure}, title, tables, notes))
    return written


def write_report(
    context: typer.Context,
    report: Path,
    figures: Mapping[str, Figure | Path],
    title: str,
    tables: Mapping[str, pd.DataFrame],
    notes: Sequence[str] = (),
) -> Path:
    """Write a report with figures, or PNG files of them, by their captions, and return the path."""
    made = page.Page(title=title, figures=figures, tables=tables, notes=notes, settings=_settings(context))
    return made.save(report)


def _settings(context: typer.Context) -> dict[str, Any]:
    """Return the options of a command that determine its result, by their names on the command line."""
    parameters: list[Any] = [one for one in context.command.params if one.name in context.params]
    names = {one.name: (one.metavar or one.opts[0].lstrip("-")).lower() for one in parameters if one.name not in OUTPUTS}
    return {name: context.params[key] for key, name in names.items()}
