"""``physlearn bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Device, ReportFile


def bench(
    context: typer.Context,
    out: Annotated[Path, Option(help="Folder to write to; a run that was stopped resumes from it.")],
    names: Annotated[str | None, Option("--tasks", help="Benchmarks to run, separated by commas: {benchmarks}.")] = None,
    seeds: Annotated[int, Option(help="Number of networks of each kind, each with its own orbits and noise.", max=MOST)] = 5,
    speed: Annotated[bool, Option("--speed", help="Measure the speed of this machine instead.")] = False,
    device: Device = "cpu",
    quick: Annotated[bool, Option("--quick", help="Do a twentieth of the work, as a trial.")] = False,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Run published benchmarks, or measure the speed.

    The benchmarks are those of the paper Hamiltonian Neural Networks, whose published numbers stand beside ours. The real
    pendulum needs its recording, in the folder that PHYSLEARN_DATA names; without it, that benchmark is left out. With
    --speed, the throughput of training, meta-gradients and orbits is measured on the CPU and on the device, and that of
    orbits beside other packages, which the extra bench installs.
    """
    with importing():
        from physlearn.cli import pictured, values
        from physlearn.forecasting.files import finite, writable_files
        from physlearn.studies import speed as speeds
        from physlearn.studies.hamiltonian_networks import benchmarks
    device = values.device(device)
    writable_files(report)
    if speed:
        measured = speeds.measure(out, device, quick=quick, progress=progress(as_json))
        written = [out / "speed.csv", out / "speed.md"]
        written += pictured.write(
            context, None, report, None, f"Speed of {', '.join(measured['on'].unique())}", speeds.tables(measured)
        )
        answer([finite(row) for row in measured.to_dict("records")], speeds.markdown(measured), written, as_json)
        return
    chosen = benchmarks.available() if names is None else names.split(",")
    table = benchmarks.run(out, chosen, seeds, quick=quick, progress=progress(as_json))
    summary = benchmarks.summary(table)
    rows = [finite(row) for row in summary.reset_index().to_dict("records")]
    stem = out / ("quick" if quick else "benchmarks")
    written = [stem.with_suffix(".csv"), stem.with_suffix(".md")]
    tables = {str(name): part.droplevel("benchmark") for name, part in summary.groupby(level="benchmark", sort=False)}
    title = "Benchmarks of Hamiltonian Neural Networks"
    written += pictured.write(context, None, report, None, title, tables, [benchmarks.ERRORS])
    answer(rows, benchmarks.markdown(table), written, as_json)
