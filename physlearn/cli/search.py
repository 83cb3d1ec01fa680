"""``physlearn search``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Data, Device, Scheduler, Seed, TaskEpochs, TaskName, TaskSettings, Workers


def search(
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
    as_json: AsJson = False,
) -> None:
    """Search learning rates and widths for activations.

    Every activation gets the same number of trials. For learned activations, settings of meta-learning are searched as well.
    """
    with importing():
        from physlearn import comparison, jobs
        from physlearn.cli import values
        from physlearn.forecasting import files
    task = values.task(name, data, set_, device)
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
    answer(json.loads(found.to_json(orient="index")), found.to_string(), written, as_json)
