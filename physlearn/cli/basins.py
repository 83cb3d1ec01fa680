"""``physlearn basins``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from physlearn.cli.answer import answer
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, Plot, SystemOrMap, SystemSettings


def basins(
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
    out: Annotated[Path, Option(help="Table of the initial states to write: .csv or .parquet.")] = Path("basins.csv"),
    set_: SystemSettings = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Find which attractor each initial state leads to."""
    with importing():
        import pandas as pd
        from matplotlib import pyplot as plt

        from physlearn import chaos
        from physlearn.cli import limits, tables, values
        from physlearn.forecasting import picture, report
        from systems import InputError
    system = values.system_or_map(name, set_)
    axes = dict(values.span(text, "--grid") for text in grid)
    report.writable_files(out, plot)
    tables.check_table(out)
    if plot is not None:
        picture.check_format(plot)
        if len(axes) != 2:
            raise InputError(
                f"a picture needs a grid of two coordinates, not {len(axes)}; give --grid twice, or leave --plot out"
            )
    z0 = chaos.state_grid(system, axes, values.parameters(fixed, "--fixed"))
    limits.check_chaos(system, z0, duration, dt)
    found = chaos.basins(system, z0, duration, dt=dt, cells=cells)
    flat = found.z0.reshape(-1, system.dim).numpy()
    table = pd.DataFrame(flat, columns=list(system.coordinates)).assign(attractor=found.label.reshape(-1).numpy())
    written = [tables.write_table(out, table)]
    if plot is not None:
        figure, ax = plt.subplots(figsize=(5.0, 4.4), layout="constrained")
        found.plot(ax=ax)
        written.append(report.write_figure(plot, figure))
        plt.close(figure)
    other = {"escaped": found.fraction(-1), "undecided": found.fraction(-2)}
    rows = [report.finite(row) for row in found.attractors.to_dict("records")]
    text = found.attractors.to_string(index=False, float_format="{:.4g}".format)
    text += f"\nescaped: {other['escaped']:.4g}, undecided: {other['undecided']:.4g}"
    summary: dict[str, Any] = {"system": name, "time": duration, **other, "rows": rows}
    answer(summary, f"{name}: {len(table)} initial states\n{text}", written, as_json)
