"""``physlearn basins``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, Plot, ReportFile, SystemOrMap, SystemSettings, TableFile


def basins(
    context: typer.Context,
    name: SystemOrMap,
    grid: Annotated[
        list[str],
        Option(help="Coordinate that varies, as lowest:highest:number, such as x=-2:2:200; twice for a plane."),
    ],
    duration: Annotated[float, Option("--time", help="Time in which orbits settle; iterations for a map.")] = 100.0,
    fixed: Annotated[
        list[str] | None, Option(help="Value of another coordinate, such as v=0.5; repeatable. Default: 0.")
    ] = None,
    dt: Annotated[float | None, Option(help="Time step of a flow. Default: from its fastest motion.")] = None,
    cells: Annotated[int, Option(help="Cells along each coordinate, which tell attractors apart.", max=10**6)] = 100,
    out: TableFile = Path("basins.csv"),
    set_: SystemSettings = None,
    plot: Plot = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Find which attractor each initial state leads to."""
    with importing():
        import pandas as pd

        from physlearn import chaos
        from physlearn.cli import limits, pictured, tables, values
        from physlearn.forecasting import files, picture
        from systems import InputError
    system = values.system_or_map(name, set_)
    axes = dict(values.span(text, "--grid") for text in grid)
    files.writable_files(out, plot, report)
    if plot is not None and len(axes) != 2:
        raise InputError(f"a picture needs a grid of two coordinates, not {len(axes)}; give --grid twice, or leave --plot out")
    z0 = chaos.state_grid(system, axes, values.parameters(fixed, "--fixed"))
    limits.check_chaos(system, z0, duration, dt)
    found = chaos.basins(system, z0, duration, dt=dt, cells=cells)
    flat = found.z0.reshape(-1, system.dim).numpy()
    table = pd.DataFrame(flat, columns=list(system.coordinates)).assign(attractor=found.label.reshape(-1).numpy())
    written = [tables.write_table(out, table)]
    other = {"escaped": found.fraction(-1), "undecided": found.fraction(-2)}
    rows = [files.finite(row) for row in found.attractors.to_dict("records")]
    text = found.attractors.to_string(index=False, float_format="{:.4g}".format)
    rest = f"escaped: {other['escaped']:.4g}, undecided: {other['undecided']:.4g}"
    summary: dict[str, Any] = {"system": name, "time": duration, **other, "rows": rows}
    title = f"{name}: {len(table)} initial states"
    drawn = partial(picture.of_axes, found.plot, (5.0, 4.4)) if len(axes) == 2 else None
    written += pictured.write(context, plot, report, drawn, title, {"Attractors": found.attractors}, [rest])
    answer(summary, f"{title}\n{text}\n{rest}", written, as_json)
