"""``physlearn reproduce``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, Device, ReportFile, Scheduler, Seed, Workers

LONGEST = 60  # rows of a table in a report


def reproduce(
    context: typer.Context,
    figures: Annotated[list[str], Argument(metavar="FIGURE...", help="Figures to make: {figures}, or all.")],
    out: Annotated[Path, Option(help="Folder to write to; results that it holds are not computed again.")],
    quick: Annotated[bool, Option("--quick", help="Take minutes on two cores instead of the paper's size.")] = False,
    data: Annotated[
        Path | None, Option(help="Folder that holds clock_angles.csv. Default: the folder that PHYSLEARN_DATA names.")
    ] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Reproduce figures of the paper on learned diversity.

    Each figure of Neural networks embrace learned diversity is a picture, the table behind it, and a manifest. A run that was
    stopped resumes when the same command is given again.
    """
    with importing():
        import pandas as pd

        from physlearn import jobs
        from physlearn.cli import pictured, values
        from physlearn.forecasting import files
        from physlearn.studies import learned_diversity as reproduction
        from physlearn.tasks.greydanus import FOLDER
    folder = data or (Path(os.environ[FOLDER]) if os.environ.get(FOLDER) else None)
    files.writable_files(report)
    shared = jobs.Workers(workers, scheduler)
    made = reproduction.reproduce(
        figures,
        files.writable(out),
        quick=quick,
        seed=seed,
        device=values.device(device),
        data=folder,
        progress=progress(as_json),
        workers=shared,
    )
    summary = {name: [str(path) for path in paths] for name, paths in made.items()}
    written = [path for paths in made.values() for path in paths]
    if report is not None:
        tables = {name: pd.read_parquet(out / f"{name}.parquet") for name in made}
        short = {name: table for name, table in tables.items() if len(table) <= LONGEST}
        notes = [f"{name}.parquet has the {len(tables[name])} rows of {name}" for name in tables if name not in short]
        drawn = {name: out / f"{name}.png" for name in made}
        title = "Figures of the paper Neural networks embrace learned diversity"
        written.append(pictured.write_report(context, report, drawn, title, short, notes))
    answer(summary, ", ".join(made), written, as_json)
