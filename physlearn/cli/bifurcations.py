"""``physlearn bifurcations``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer import Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Plot, ReportFile, Seed, SystemOrMap, SystemSettings, TableFile


def bifurcations(
    context: typer.Context,
    name: SystemOrMap,
    parameter: Annotated[str, Option(help="Parameter and its values, as lowest:highest:number, such as mu=0:3:200.")],
    out: TableFile = Path("bifurcations.csv"),
    coordinate: Annotated[str | None, Option(help="Coordinate to record. Default: the first that varies.")] = None,
    at: Annotated[
        str | None,
        Option(
            help="When to record a flow: maxima (of the coordinate), a surface such as x=0, or a phase of the drive such as "
            "phase=0. Default: phase=0 for a periodic drive, maxima otherwise."
        ),
    ] = None,
    orbits: Annotated[int, Option(help="Number of random initial states for each value.", max=MOST)] = 4,
    duration: Annotated[
        float | None, Option("--time", help="Time to record; iterations for a map. Default: 200 time scales or iterations.")
    ] = None,
    dt: Annotated[float | None, Option(help="Time step of a flow. Default: from its fastest motion.")] = None,
    transient: Annotated[float | None, Option(help="Time before recording. Default: four times as long.")] = None,
    set_: SystemSettings = None,
    plot: Plot = None,
    report: ReportFile = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Record the attractors of a system as a parameter varies."""
    with importing():
        import pandas as pd

        from physlearn import chaos
        from physlearn.chaos.parameters import with_parameters
        from physlearn.cli import limits, pictured, tables, values
        from physlearn.forecasting import files, picture
    system = values.system_or_map(name, set_)
    key, numbers = values.parameter_range(parameter)
    files.writable_files(out, plot, report)
    limits.check_orbits(orbits * len(numbers), 1.0, 1.0, system.dim)
    z0 = system.sample(orbits, seed=seed)
    for time in (duration, transient):
        limits.check_chaos(cast(Any, with_parameters(system, **{key: numbers[0]})), z0, time, dt)
    place: Any = at if at == "maxima" else values.surface(at, "--at")
    diagram = chaos.bifurcation_diagram(
        system,
        key,
        numbers,
        z0=z0,
        coordinate=coordinate,
        at=place,
        time=duration,
        dt=dt,
        transient=transient,
        progress=progress(as_json),
    )
    written = [tables.write_table(out, diagram.table.rename(columns={"parameter": key, "value": diagram.coordinate}))]
    cycles = diagram.cycles().groupby("parameter")["period"].max()
    rows = [{key: value, "period": None if pd.isna(period) else int(period)} for value, period in cycles.items()]
    escaped = int(diagram.orbits["escaped"].sum())
    summary: dict[str, Any] = {
        "system": name,
        "parameter": key,
        "points": len(diagram.table),
        "escaped": escaped,
        "rows": rows,
    }
    text = (
        f"{name}: {len(diagram.table)} points of {diagram.coordinate} for {len(rows)} values of {key}; "
        f"{sum(row['period'] is not None for row in rows)} of them have cycles, and {escaped} orbits escaped"
    )
    drawn = partial(picture.of_axes, diagram.plot, (6.4, 4.2))
    table = pd.DataFrame(rows).set_index(key)
    written += pictured.write(context, plot, report, drawn, f"{name}: attractors as {key} varies", {"Cycles": table}, [text])
    answer(summary, text, written, as_json)
