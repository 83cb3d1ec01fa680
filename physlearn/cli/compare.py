"""``physlearn compare``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Data, Device, Scheduler, TaskEpochs, TaskName, TaskSettings, Workers


def compare(
    context: typer.Context,
    name: TaskName,
    activations: Annotated[
        list[Path] | None,
        Option(
            help="Learned activations, as `physlearn learn` writes them; several files are meta-seeds. "
            "Default: TASK.safetensors."
        ),
    ] = None,
    single: Annotated[
        list[Path] | None,
        Option(help="One learned type as the control, in as many files. Default: the files beside the activations."),
    ] = None,
    out: Annotated[Path | None, Option(help="Folder to write to. Default: TASK-comparison.")] = None,
    replicates: Annotated[int, Option(help="Number of networks per variant.", max=MOST)] = 50,
    epochs: TaskEpochs = None,
    untuned: Annotated[
        bool, Option("--untuned", help="Train all variants at the same learning rate, as the paper does.")
    ] = False,
    tuned_by: Annotated[
        str, Option(help="Tuning loss that decides: the median of the networks, or their geometric-mean.")
    ] = "median",
    tuning_replicates: Annotated[int, Option(help="Number of networks per learning rate that is tried.", max=MOST)] = 6,
    forecasts: Annotated[bool, Option(help="Roll the networks out and compare their forecasts as well.")] = True,
    data: Data = None,
    set_: TaskSettings = None,
    device: Device = "cpu",
    seed: Annotated[int, Option(help="Random seed, below 2^32.")] = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Compare learned activations with others on a task.

    The others are their base, each of their types alone, one learned type, and common activations; losses and forecasts are
    compared. A comparison that was stopped resumes from its finished networks when the same command is given again.
    """
    with importing():
        from physlearn import LearnedActivations, comparison, jobs
        from physlearn.cli import values
        from physlearn.comparison import panels
        from physlearn.forecasting import files
        from physlearn.metalearning import runs
        from systems import InputError
    task = values.task(name, data, set_, device)
    given = activations or [Path(f"{name}.safetensors")]
    if activations is None and not given[0].is_file():
        raise InputError(f"there is no {given[0]} here: run `physlearn learn {name}` first, or give --activations")
    learned = [LearnedActivations.load(file) for file in given]
    beside = [runs.control_of(file) for file in given]
    controls = single or (beside if all(file.is_file() for file in beside) else [])
    folder = files.writable(out or Path(f"{name}-comparison"))
    context.with_resource(jobs.alone_in(folder))
    shared = jobs.Workers(workers, scheduler)
    settings: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    settings |= {"replicates": replicates, "seed": seed, "tuned": not untuned, "forecast": forecasts}
    settings |= {"tuned_by": tuned_by.replace("-", " "), "tuning_replicates": tuning_replicates}
    settings["folder"] = folder / "units"
    alone = [LearnedActivations.load(file) for file in controls] or None
    if shared.alone:
        result = comparison.compare(task, learned, single=alone, progress=progress(as_json), **settings)
    else:
        result = comparison.compare_apart(task, learned, alone, workers=shared, progress=False, **settings)
    figure = panels.panels(task, learned[0], result)
    written = result.save(folder, {"The task, the learned activations, and the scores": figure})
    written.append(files.write_figure(folder / "panels.png", figure))
    shutil.rmtree(settings["folder"])  # all of it is in the result
    answer(result.metrics(), str(result), written, as_json)
