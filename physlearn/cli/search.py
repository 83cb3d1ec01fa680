"""``physlearn search``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import (
    MOST,
    AsJson,
    Data,
    Device,
    ReportFile,
    Scheduler,
    Seed,
    TaskEpochs,
    TaskName,
    TaskSettings,
    Workers,
)

LOSS = "loss: median over the networks of a trial of the lowest loss on the tuning part; infinite if one of them diverged"


def search(
    context: typer.Context,
    name: TaskName,
    activations: Annotated[
        list[str],
        Argument(
            metavar="ACTIVATION...",
            help="Activation functions: {activations}, or learned for ones that are learned in each trial.",
        ),
    ],
    out: Annotated[Path, Option(help="Folder to write to; a search that was stopped resumes from it.")],
    trials: Annotated[int, Option(help="Number of trials per activation.", max=MOST)] = 20,
    replicates: Annotated[int, Option(help="Number of networks per trial.", max=MOST)] = 6,
    epochs: TaskEpochs = None,
    data: Data = None,
    set_: TaskSettings = None,
    device: Device = "cpu",
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Search learning rates and widths for activations.

    Every activation gets the same number of trials. For learned activations, settings of meta-learning are searched as well.
    """
    with importing():
        from physlearn import comparison, jobs
        from physlearn.cli import pictured, values
        from physlearn.forecasting import files, picture
        from physlearn.plotting import trials_plot
    task = values.task(name, data, set_, device)
    files.writable_files(report, inputs=[data])
    shared = jobs.Workers(workers, scheduler)
    training: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    table = comparison.search(
        task,
        activations,
        files.writable(out),
        trials=trials,
        replicates=replicates,
        seed=seed,
        workers=shared,
        progress=progress(as_json),
        **training,
    )
    found = comparison.best(table)
    written = [out / "trials.parquet", out / "search.db"]
    drawn = partial(picture.of_axes, lambda ax: trials_plot(table, ax=ax), (6.4, 4.2))
    tables = {"Best trials": found, "All trials": table.set_index("variant")}
    written += pictured.write(context, None, report, drawn, f"Search on {task.title}", tables, [LOSS])
    answer(json.loads(found.to_json(orient="index")), found.to_string(), written, as_json)
