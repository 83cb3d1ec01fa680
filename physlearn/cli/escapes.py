"""``physlearn escapes``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Plot, ReportFile, Seed, SystemName, SystemSettings, TableFile


def escapes(
    context: typer.Context,
    name: SystemName,
    energy: Annotated[float, Option(help="Energy of the initial states.")],
    orbits: Annotated[int, Option(help="Number of orbits.", max=MOST)] = 1000,
    duration: Annotated[float, Option("--time", help="Time after which orbits are no longer followed.")] = 200.0,
    dt: Annotated[float | None, Option(help="Time step. Default: from the fastest motion.")] = None,
    section: Annotated[
        bool, Option("--section", help="Start on a grid on the surface of section, instead of at random.")
    ] = False,
    out: TableFile = Path("escapes.csv"),
    set_: SystemSettings = None,
    plot: Plot = None,
    report: ReportFile = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find when orbits escape, and through which exit."""
    with importing():
        import pandas as pd

        import systems
        from physlearn import chaos
        from physlearn.cli import limits, pictured, tables, values
        from physlearn.forecasting import files, picture
    system = systems.get(name, **values.parameters(set_))
    files.writable_files(out, plot, report)
    if not hasattr(system, "exits"):
        raise systems.InputError(f"{name} declares no exits; choose a system that does, such as henon-heiles")
    limits.check_orbits(orbits, 1.0, 1.0, system.dim)
    z0 = values.above_escape(system, orbits, energy, section, seed)
    limits.check_chaos(system, z0, duration, dt)
    found = chaos.escape_times(system, z0, duration, dt=dt)
    names = dict(enumerate(found.names)) | {-1: "none", -2: "lost"}
    table = pd.DataFrame(found.z0.numpy(), columns=list(system.coordinates))
    table = table.assign(exit=[names[int(number)] for number in found.exit], time=found.time.numpy())
    written = [tables.write_table(out, table)]
    counted = found.to_frame()
    rows = [files.finite(row) for row in counted.to_dict("records")]
    summary: dict[str, Any] = {
        "system": name,
        "energy": energy,
        "orbits": orbits,
        "time": duration,
        "agreement": found.agreement,
        "rows": rows,
    }
    title = f"{name}: {orbits} orbits of energy {energy:g} over t = {duration:g}"
    drawn = partial(picture.of_axes, lambda ax: found.plot(ax=ax), (5.0, 4.4))
    written += pictured.write(context, plot, report, drawn, title, {"Exits": counted})
    answer(summary, f"{title}\n" + counted.to_string(index=False, float_format="{:.4g}".format), written, as_json)
