"""``physlearn learn``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Data, Device, ReportFile, Scheduler, Seed, TaskName, TaskSettings, Workers
from physlearn.cli.output import output


def learn(
    context: typer.Context,
    name: TaskName,
    types: Annotated[int | None, Option(help="Number of types of neurons.", max=MOST)] = None,
    base: Annotated[
        str | None,
        Option(
            help="Activation function that every type starts from: {activations}. Several, as sine,square, are one for each "
            "type; the control starts from the first."
        ),
    ] = None,
    variant: Annotated[str | None, Option(help="Variant of meta-learning: {variants}.")] = None,
    out: Annotated[Path | None, output("File to write, .safetensors. Default: TASK.safetensors.", ".safetensors")] = None,
    outer_steps: Annotated[int | None, Option(help="Number of steps of the outer loop.", max=MOST)] = None,
    inner_steps: Annotated[int | None, Option(help="Number of steps of each inner loop.", max=MOST)] = None,
    networks: Annotated[int | None, Option(help="Number of inner networks that train at once.", max=MOST)] = None,
    single: Annotated[
        bool, Option(help="Learn one type alone as well, as the control for a mix, and write it to OUT-single.")
    ] = True,
    history: Annotated[
        bool, Option(help="Keep the losses and curves of all steps; without them, a file takes a few kB.")
    ] = True,
    data: Data = None,
    set_: TaskSettings = None,
    device: Device = "cpu",
    seed: Seed = 0,
    meta_seeds: Annotated[
        int, Option(min=1, max=10_000, help="Number of runs, with seeds from --seed on, each written to OUT-SEED.")
    ] = 1,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Meta-learn activation functions on a task.

    The learned activations are written and drawn. A run that was stopped resumes when the same command is given again.
    """
    with importing():
        import pandas as pd

        from physlearn import jobs
        from physlearn.cli import pictured, values
        from physlearn.comparison import panels
        from physlearn.forecasting import files
        from physlearn.metalearning import runs
    task = values.task(name, data, set_, device)
    path = out or Path(f"{name}.safetensors")
    planned = runs.plan(path, range(seed, seed + meta_seeds), types, control=single)
    files.writable_files(*(file for run in planned for file in (run.file, run.picture, run.checkpoint)), report, inputs=[data])
    shared = jobs.Workers(workers, scheduler)
    mark = context.with_resource(jobs.alone_on(run.file for run in planned))
    learned = runs.learn(
        task,
        planned,
        shared,
        mark,
        history=history,
        progress=progress(as_json),
        base=base and base.replace(",", "+"),
        variant=variant,
        outer_steps=outer_steps,
        inner_steps=inner_steps,
        networks=networks,
    )
    written: list[Path] = []
    summary: dict[str, dict[str, Any]] = {}
    lines = [task.title]
    figures = {str(run.file): panels.panels(task, activations) for run, activations in learned.items()}
    for run, activations in learned.items():
        written += [run.file, files.write_figure(run.picture, figures[str(run.file)])]
        losses = activations.losses["smoothed"]
        summary[str(run.file)] = {"types": len(activations), "smoothed_log_loss": losses.tolist(), **activations.settings}
        lines.append(
            f"{run.file}: {activations}; smoothed log loss {losses.iloc[0]:.2f} at first, {losses.iloc[-1]:.2f} at last"
        )
    if report is not None:
        table = pd.DataFrame({file: _numbers(own) for file, own in summary.items()})
        written.append(pictured.write_report(context, report, figures, task.title, {"Learned activations": table}, lines[1:]))
    runs.forget(planned)
    answer(summary, "\n".join(lines), written, as_json)


def _numbers(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of a summary that are single values."""
    return {name: value for name, value in summary.items() if isinstance(value, (bool, int, float, str))}
