"""``physlearn fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, Plot, ReportFile, SystemName, SystemSettings
from physlearn.cli.output import output


def fit(
    context: typer.Context,
    name: SystemName,
    data: Annotated[Path, Option(help="CSV file with a column of times and one for each measured coordinate.")],
    free: Annotated[str | None, Option(help="Parameters to fit, such as mu or delta,omega. Default: all.")] = None,
    coordinates: Annotated[
        str | None, Option(help="Measured coordinates, such as x. Default: all coordinates that have a column.")
    ] = None,
    time: Annotated[str | None, Option(help="Column of the times. Default: t, time, date or the like.")] = None,
    run: Annotated[str | None, Option(help="Column that tells runs apart. Default: run, if there is one.")] = None,
    each: Annotated[str | None, Option(help="Parameters with a value of their own in each run.")] = None,
    noise: Annotated[
        float | None, Option(help="Standard deviation of the noise of all coordinates. Default: estimated.")
    ] = None,
    method: Annotated[str, Option(help="Method: shooting, derivative or weak.")] = "shooting",
    set_: SystemSettings = None,
    out: Annotated[Path | None, output("Table to write, one row per parameter: .csv.", ".csv")] = None,
    plot: Plot = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit parameters of a system to measurements, with errors.

    Some coordinates may be missing, and times may be uneven. A warning names parameters that the data do not determine, and
    residuals that are not noise.
    """
    with importing():
        import systems
        from physlearn import plotting
        from physlearn.cli import pictured, values
        from physlearn.forecasting import files
        from systems.recording import read_columns
    system = systems.get(name, **values.parameters(set_))
    files.writable_files(out, plot, report, inputs=[data])
    columns = dict(read_columns(data))
    seen = _names(coordinates) or [one for one in system.coordinates if one in columns]
    if unknown := [one for one in seen if one not in system.coordinates] or ([] if seen else [next(iter(columns), "nothing")]):
        raise systems.InputError(
            f"{data} has the column {unknown[0]}, but {name} has the coordinates {', '.join(system.coordinates)}; rename the "
            "columns, or choose some with --coordinates"
        )
    orbits = systems.Orbit.of(columns, time, seen, run=run)
    options: dict[str, Any] = {"noise": noise, "method": method, "each": _names(each) or ()}
    found = systems.fit(system, orbits, _names(free), **options)
    written = []
    table = found.summary().reset_index()
    if out is not None:
        written.append(files.write_table(out, table))
    summary: dict[str, Any] = {
        "system": name,
        "parameters": [files.finite(row) for row in table.to_dict("records")],
        "noise": dict(found.noise),
        "converged": found.converged,
    }
    text = table.to_string(index=False, float_format="{:.6g}".format)
    noises = f"noise: {', '.join(f'{key} {value:.3g}' for key, value in found.noise.items())}"
    drawn: Any = lambda: plotting.fit_plot(found)[0].figure  # noqa: E731
    title = f"Parameters of {name}, fitted to {data.name}"
    written += pictured.write(context, plot, report, drawn, title, {"Parameters": table.set_index("parameter")}, [noises])
    answer(summary, f"{text}\n{noises}", written, as_json)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",")]
