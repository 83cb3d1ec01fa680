"""The command line: ``physlearn systems``, ``simulate``, ``forecast`` and the others, a function each."""

from __future__ import annotations

import inspect
import json
import math
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer

import systems
from physlearn import comparison, explorer, integrators, interruption, limits, metrics, plotting, tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.panels import panels
from physlearn.forecasting import contender, picture, recorded, report, simulated
from physlearn.forecasting.long_run import long_run
from physlearn.jobs import Workers, WorkersLostError, alone_in, alone_on
from physlearn.metalearning import VARIANTS
from physlearn.metalearning.metalearn import learn_unit
from physlearn.models import names as model_names
from physlearn.models.build import check_angles
from physlearn.studies import learned_diversity as reproduction
from physlearn.studies import speed as speeds
from physlearn.studies.hamiltonian_networks import benchmarks
from physlearn.tasks.greydanus import FOLDER
from systems import HamiltonianSystem, InputError, IntegrationError, Orbit
from systems.atomic import atomically
from systems.pendulum_clock import track as track_film
from systems.pendulum_clock.overlay import overlay as draw_overlay

app = typer.Typer(
    help="Forecast orbits: simulate or film a dynamical system, learn its flow, roll it out, and say how good it is.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

MISUSE = 2  # the exit code of a wrong argument, file or shape
INTERRUPTED = 130  # that of Ctrl-C
COLUMNS = {  # of the table that is printed: heading, and as many digits as mean something
    "derivative_loss": ("derivative loss", "{:.1e}"),
    "valid_time_median": ("valid time", "{:.1f}"),
    "valid_time": ("valid time", "{:.1f}"),
    "energy_error_median": ("energy error", "{:.1e}"),
    "energy_error_largest": ("(worst orbit)", "{:.1e}"),
    "energy_error": ("energy error", "{:.1e}"),
    "period": ("period", "{:.4f}"),
    "period_median": ("period", "{:.4f}"),
    "amplitude": ("amplitude", "{:.4f}"),
    "amplitude_median": ("amplitude", "{:.4f}"),
    "phase_error_end": ("phase error", "{:+.2f}"),
    "drive": ("drive", "{:.3f}"),
}

DEVICES = ("cpu", "cuda")
MOST = 10**9  # of anything that is counted
FARTHEST = 2**62  # of seeds, from which others count on

Device = Annotated[str, typer.Option(help="Device to compute on: cpu or cuda.")]
Epochs = Annotated[int, typer.Option(help="Passes over the training data.", max=MOST)]
Hidden = Annotated[str, typer.Option(help="Widths of the hidden layers, as 100 or 64,64.")]
Named = Annotated[str, typer.Option(help="sine, tanh, ..., a mixture as sine+tanh, or shipped ones: learned:TASK.")]
OfSystem = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the system, as mu=1.5; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Seed = Annotated[int, typer.Option(help="Random seed.", min=-FARTHEST, max=FARTHEST)]
Processes = Annotated[int, typer.Option("--workers", help="Processes that share the work.", max=1024)]
Scheduler = Annotated[str | None, typer.Option(help="The address of a scheduler of dask, whose workers share it.")]
FocalLength = Annotated[
    float | None,
    typer.Option(
        help="Of the film's camera, in diagonals of its picture (35 mm equivalent / 43.3); a telephone's by default."
    ),
]


@app.command("systems")
def list_systems(as_json: AsJson = False) -> None:
    """List the systems, their coordinates and parameters."""
    rows = []
    for name in systems.names():
        system = systems.get(name)
        summary = (inspect.getdoc(type(system)) or "").splitlines()[0]
        rows.append({"name": name, "coordinates": system.coordinates, "parameters": system.parameters, "summary": summary})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        parameters = ", ".join(f"{k}={v:g}" for k, v in row["parameters"].items())
        typer.echo(f"{row['name']:<20} ({', '.join(row['coordinates'])})  {parameters}\n    {row['summary']}")


@app.command()
def simulate(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="One of `physlearn systems`.")],
    out: Annotated[Path, typer.Option(help="The netCDF file to write.")] = Path("orbit.nc"),
    energy: Annotated[float | None, typer.Option(help="Of the initial states, where the system can sample by energy.")] = None,
    orbits: Annotated[int, typer.Option(help="How many.", max=MOST)] = 1,
    duration: Annotated[float, typer.Option("--time", help="How long.")] = 100.0,
    dt: Annotated[float, typer.Option(help="Time between two states.")] = 0.1,
    set_: OfSystem = None,
    plot: Annotated[Path | None, typer.Option(help="A picture to write, .png, .svg or .pdf.")] = None,
    animation: Annotated[Path | None, typer.Option(help="A film to write, .gif or .mp4.")] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Simulate orbits of a system from random initial states, to high accuracy."""
    system = systems.get(name, **_parameters(set_ or []))
    report.writable_files(out, plot, animation)
    if plot is not None:
        picture.check_format(plot)
    if animation is not None:
        plotting.animation.check_format(animation)
    if not (0 < duration < math.inf and 0 < dt <= duration):
        raise InputError(f"--time {duration:g} and --dt {dt:g} must be positive and finite, and dt not longer than the time")
    limits.check_orbits(orbits, duration, dt, system.dim)
    z0 = system.sample(orbits, seed=seed, **_energy(system, energy)).to(_device(device))
    limits.check_duration(system, z0, duration)
    orbit = system.orbit(z0, torch.arange(round(duration / dt) + 1, dtype=torch.float64) * dt).to("cpu")
    orbit.save(out)
    written = [out]
    if plot is not None:
        written.append(report.write_figure(plot, picture.of_orbit(orbit, system)))
    if animation is not None:
        written.append(picture.film(orbit, animation, progress=sys.stderr.isatty() and not as_json))
    summary: dict[str, Any] = {"system": name, "orbits": orbits, "time": duration, "dt": dt, "seed": seed}
    if isinstance(system, HamiltonianSystem):
        summary["energy_error"] = float(metrics.energy_error(orbit, system).max())
    _finish(summary, f"{name}: {orbit}", written, as_json)


@app.command()
def forecast(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="One of `physlearn systems`.")],
    out: Annotated[Path, typer.Option(help="The directory to write to.")],
    data: Annotated[Path | None, typer.Option(help="CSV file of recorded angles, instead of a simulation.")] = None,
    film: Annotated[Path | None, typer.Option(help="A film of a pendulum instead, to be tracked first.")] = None,
    focal_length: FocalLength = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Names of the CSV file's columns, as 't,theta [deg],_'; _ leaves one out. Default: the header."),
    ] = None,
    model: Annotated[str | None, typer.Option(help=f"Only this model: {', '.join(model_names())}.")] = None,
    integrator: Annotated[
        str | None, typer.Option(help=f"With --model, only this integrator: {', '.join(integrators.names())}.")
    ] = None,
    energy: Annotated[
        float | None, typer.Option(help="Of the forecast orbits, where the system can sample by energy.")
    ] = None,
    duration: Annotated[float | None, typer.Option("--time", help="How long to forecast.")] = None,
    dt: Annotated[float | None, typer.Option(help="The step of data and forecast.")] = None,
    orbits: Annotated[int | None, typer.Option(help="How many orbits to learn from.", max=MOST)] = None,
    test_orbits: Annotated[int | None, typer.Option(help="How many orbits to forecast.", max=MOST)] = None,
    epochs: Epochs = 200,
    batch_size: Annotated[int, typer.Option(help="Samples a step.", max=MOST)] = 100,
    learning_rate: Annotated[float, typer.Option(help="The first; it falls to zero along a cosine.")] = 5e-3,
    hidden: Hidden = "100",
    activation: Named = "sine",
    angles: Annotated[
        bool, typer.Option("--angles", help="Networks see cosine and sine of every coordinate that has a period.")
    ] = False,
    set_: OfSystem = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Learn a system's flow, or a recording's, forecast orbits, and say how good the forecast is.

    Without --model, the whole line-up side by side: baselines, NN and HNNs, with the integrators that suit them and Euler.
    """
    check_angles(model, angles)
    settings: dict[str, Any] = {
        "training": {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate},
        "hidden": _widths(hidden),
        "activation": activation,
        "angles": angles,
        "device": _device(device),
        "seed": seed,
        "progress": sys.stderr.isatty() and not as_json,
    }
    if film is None and focal_length is not None:
        raise InputError("--focal-length is that of the camera of a --film")
    if data is None and film is None:
        system = _autonomous(name, set_)
        chosen = contender.choose(model, integrator, system.canonical)
        protocol = simulated.protocol_of(
            system, training_orbits=orbits, test_orbits=test_orbits, time=duration, dt=dt,
            test_sample=_energy(system, energy) or None,
        )  # fmt: skip
        limits.check_protocol(protocol, system.dim, len(chosen))
        directory = report.writable(out)
        context.with_resource(alone_in(directory))
        result = simulated.forecast_system(system, chosen, protocol, **settings)
        written = [*report.write(result, directory), *picture.of_forecast(result, system, directory)]
        _finish(report.metrics(result), _table(result), written, as_json)
        return
    unused = {
        "--energy": energy,
        "--time": duration,
        "--dt": dt,
        "--orbits": orbits,
        "--test-orbits": test_orbits,
        "--set": set_,
    }
    if given := [option for option, value in unused.items() if value is not None]:
        raise InputError(f"{given[0]} is for simulated systems; a recording comes with its own")
    if film is not None and (data is not None or columns is not None):
        raise InputError("--film takes the place of --data and --columns; give one or the other")
    chosen = contender.choose(model, integrator, hamiltonian=True, recorded=True)
    directory = report.writable(out)
    context.with_resource(alone_in(directory))
    recordings: dict[str, list[Orbit]] = {}
    written = []
    if film is not None:
        tracked = track_film(film, focal_length=focal_length, progress=settings["progress"])
        recordings["film"] = [orbit for orbit in tracked.orbits if orbit.provenance["pendulum"] == 0]
        tracked.save_csv(directory / "angles.csv")
        written = [directory / "angles.csv", report.write_figure(directory / "track.png", picture.of_tracking(tracked))]
    elif data is not None:
        recordings = recorded.read_recording(data, columns.split(",") if columns else None)
    results = {}
    for rates, recording in recordings.items():
        if not recording:
            raise InputError("the film holds no stretch without gaps that is long enough to learn from")
        gap = recording[0].provenance["filter"]["window"]
        result = results[rates] = recorded.forecast_recording(recording, chosen, name=name, gap=gap, **settings)
        written += [*report.write(result, directory, f"{rates}-"), *picture.of_recording(result, directory, f"{rates}-")]
    text = "\n\n".join(_table(result) for result in results.values())
    _finish({rates: report.metrics(result) for rates, result in results.items()}, text, written, as_json)


@app.command()
def chaos(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="One of `physlearn systems`.")],
    out: Annotated[Path, typer.Option(help="The directory to write to.")],
    energy: Annotated[
        float | None, typer.Option(help="Of all orbits, which then begin on a grid on the surface of section.")
    ] = None,
    orbits: Annotated[int, typer.Option(help="How many are followed.", max=MOST)] = 50,
    duration: Annotated[float | None, typer.Option("--time", help="How long; 10000 steps by default.")] = None,
    dt: Annotated[float | None, typer.Option(help="The step; that of the data by default.")] = None,
    surface: Annotated[str | None, typer.Option(help="A coordinate and its value, as x=0; the system's usual one.")] = None,
    direction: Annotated[int, typer.Option(help="Of the crossings: 1 upwards, -1 downwards, 0 both.")] = 1,
    models: Annotated[
        str | None, typer.Option(help=f"Models to learn, as nn,hnn, of {', '.join(model_names())}; none: the system alone.")
    ] = None,
    activations: Annotated[
        Path | None, typer.Option(help="What `physlearn learn` wrote: each model once more, with the learned mix.")
    ] = None,
    training_orbits: Annotated[int | None, typer.Option(help="How many orbits to learn from.", max=MOST)] = None,
    epochs: Epochs = 200,
    hidden: Hidden = "100",
    activation: Named = "sine",
    set_: OfSystem = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Draw Poincare sections of a system and of models that learned it, and tell order from chaos in each.

    The table holds class agreement, chaotic fraction, Lyapunov exponents, distances of sections and climate, valid times.
    """
    system = _autonomous(name, set_)
    plane = _surface(surface) or system.surface
    flows = _models(models, activation, activations, system.canonical)
    protocol = simulated.protocol_of(system, training_orbits=training_orbits)
    dt = protocol.dt if dt is None else dt
    duration = 10_000 * dt if duration is None else duration
    limits.check_protocol(protocol, system.dim, len(flows))
    limits.check_run(orbits, duration, dt, system.dim)
    z0 = _on_section(system, orbits, energy, plane, direction, seed).to(_device(device))
    directory = report.writable(out)
    context.with_resource(alone_in(directory))
    result = long_run(
        system,
        z0,
        flows,
        protocol,
        time=duration,
        surface=plane,
        direction=direction,
        dt=dt,
        energy=energy,
        seed=seed,
        progress=sys.stderr.isatty() and not as_json,
        training={"epochs": epochs},
        hidden=_widths(hidden),
        device=device,
    )
    table = result.table.drop(columns=[column for column in result.table if str(column).startswith("class_agreement_")])
    text = table.T.rename_axis(None, axis=1).rename_axis(None).to_string(float_format="{:.3g}".format, na_rep="-")
    undecided = "".join(_undecided(label, seen.classes.to_frame()) for label, seen in result.flows.items())
    text = f"{result.title}\n{text}\n{undecided}  {result.seconds:.0f} s in all"
    _finish(result.metrics(), text, result.save(directory), as_json)


def _undecided(label: str, classes: pd.DataFrame) -> str:
    """One line per reason for which orbits of a flow are undecided."""
    open_ = classes[classes["class"] == "undecided"]
    counts = open_["reason"].value_counts()
    return "".join(f"  {label}: {n} of {len(classes)} orbits undecided: {reason}\n" for reason, n in counts.items())


def _surface(text: str | None) -> tuple[str, float] | None:
    if text is None:
        return None
    coordinate, _, value = text.partition("=")
    try:
        return coordinate, float(value)
    except ValueError as error:
        raise InputError(f"--surface takes a coordinate and a number, as x=0, not {text!r}") from error


def _models(models: str | None, activation: str, learned: Path | None, canonical: bool) -> dict[str, tuple[str, Any]]:
    """(model, activation) by label: each model with the activation, and with the learned mix if there is one."""
    usual = "nn,hnn,hnn-separable" if canonical else "nn"
    names = [] if models == "none" else (models or usual).split(",")
    for name in names:
        contender.choose(name, None, canonical)
    activations = {"": activation} | ({} if learned is None else {", learned mix": LearnedActivations.load(learned).mix})
    return {f"{name}{label}": (name, kind) for label, kind in activations.items() for name in names}


def _on_section(
    system: Any, n: int, energy: float | None, surface: tuple[str, float], direction: int, seed: int
) -> torch.Tensor:
    """States of one energy on a grid on the surface, or as the system samples them."""
    if energy is None:
        return system.sample(n, seed=seed)
    return systems.sampling.on_section(system, n, energy, surface=surface, direction=direction or 1)


@app.command("track")
def track_command(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="Of one pendulum or several.")],
    markers: Annotated[
        str | None,
        typer.Option(help="Colours, as red,blue, or pixels of the first frame, as 310,40;305,400; found by itself otherwise."),
    ] = None,
    pendulums: Annotated[int | None, typer.Option(help="How many there are, where that has to be said.")] = None,
    focal_length: FocalLength = None,
    out: Annotated[Path, typer.Option(help="The CSV file to write; a netCDF file is written beside it.")] = Path("angles.csv"),
    plot: Annotated[Path | None, typer.Option(help="A picture to write, .png, .svg or .pdf.")] = None,
    overlay: Annotated[Path | None, typer.Option(help="A film to write, .mp4, with what was tracked drawn on top.")] = None,
    as_json: AsJson = False,
) -> None:
    """Track the pendulums in a film: angles, rates and their errors, period, amplitude and decay."""
    report.writable_files(out, out.with_suffix(".nc"), plot, overlay, inputs=[film])
    if plot is not None:
        picture.check_format(plot)
    progress = sys.stderr.isatty() and not as_json
    tracked = track_film(film, markers=_markers(markers), pendulums=pendulums, focal_length=focal_length, progress=progress)
    tracked.save_csv(out)
    tracked.save_netcdf(out.with_suffix(".nc"))
    written = [out, out.with_suffix(".nc")]
    if plot is not None:
        written.append(report.write_figure(plot, picture.of_tracking(tracked)))
    if overlay is not None:
        draw_overlay(film, tracked, overlay, progress=progress)
        written.append(overlay)
    _finish([asdict(one) for one in tracked.report], str(tracked), written, as_json)


def _markers(text: str | None) -> str | list[tuple[float, float]] | None:
    """Names of colours as they are, pixels as numbers."""
    if text is None or not text[:1].isdigit():
        return text
    try:
        return [(float(x), float(y)) for x, y in (place.split(",") for place in text.split(";"))]
    except ValueError as error:
        raise InputError(f"--markers takes colours, as red,blue, or pixels, as 310,40;305,400, not {text!r}") from error


TaskName = Annotated[str, typer.Argument(metavar="TASK", help=f"One of {', '.join(tasks.names())}.")]
Data = Annotated[Path | None, typer.Option(help="A recording, for the pendulum clock: a CSV file of angles.")]
OfTask = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the task, as orbits=50 or mu=1.5; may be repeated.")
]


@app.command()
def learn(
    context: typer.Context,
    name: TaskName,
    types: Annotated[int | None, typer.Option(help="How many types of neurons.", max=MOST)] = None,
    base: Annotated[str | None, typer.Option(help="The function that they begin at.")] = None,
    variant: Annotated[str | None, typer.Option(help=f"How: {', '.join(VARIANTS)}.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; TASK.safetensors by default.")] = None,
    outer_steps: Annotated[int | None, typer.Option(help="Steps of the outer loop.", max=MOST)] = None,
    inner_steps: Annotated[int | None, typer.Option(help="Steps of each inner loop.", max=MOST)] = None,
    networks: Annotated[int | None, typer.Option(help="Inner networks at once.", max=MOST)] = None,
    single: Annotated[
        bool, typer.Option(help="Learn one type alone, too: the control that belongs beside a mix, written to OUT-single.")
    ] = True,
    history: Annotated[
        bool, typer.Option(help="Keep the losses and the curves of all steps; without them a file has a few kB.")
    ] = True,
    data: Data = None,
    set_: OfTask = None,
    device: Device = "cpu",
    seed: Seed = 0,
    meta_seeds: Annotated[
        int, typer.Option(min=1, max=10_000, help="Runs of as many seeds, from --seed on, each written to OUT-SEED.")
    ] = 1,
    workers: Processes = 1,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Meta-learn activation functions on a task, and draw them.

    A run that was stopped goes on where it was when the same command is given again.
    """
    task = _task(name, data, set_, device)
    path = out or Path(f"{name}.safetensors")
    if path.suffix != ".safetensors":
        raise InputError(f"--out is a file to write, NAME.safetensors, not {path}")
    files = {k: path if meta_seeds == 1 else path.with_stem(f"{path.stem}-{k}") for k in range(seed, seed + meta_seeds)}
    jobs = [(file, k, types) for k, file in files.items()]
    if single and types != 1:
        jobs += [(_single(file), k, 1) for k, file in files.items()]
    suffixes = (".safetensors", ".png", ".checkpoint")
    report.writable_files(*(file.with_suffix(suffix) for file, _, _ in jobs for suffix in suffixes), inputs=[data])
    shared = Workers(workers, scheduler)
    mark = context.with_resource(alone_on(file for file, _, _ in jobs))
    progress = sys.stderr.isatty() and not as_json and shared.alone
    given: dict[str, Any] = {
        "base": base,
        "variant": variant,
        "outer_steps": outer_steps,
        "inner_steps": inner_steps,
        "networks": networks,
    }
    away = None if shared.scheduler is None else mark
    units = [
        (task, [k], file.with_suffix(".checkpoint").resolve(), away, progress, {"types": n, **given}) for file, k, n in jobs
    ]
    done: dict[Path, LearnedActivations] = {}
    for number, (learned,) in shared.each(learn_unit, units):
        done[jobs[number][0]] = learned
        (learned if history else learned.without_history()).save(jobs[number][0])
    written: list[Path] = []
    summary, lines = {}, [task.title]
    for file, _, _ in jobs:
        learned = done[file]
        written += [file, report.write_figure(file.with_suffix(".png"), panels(task, learned))]
        losses = learned.losses["smoothed"]
        summary[str(file)] = {"types": len(learned), "smoothed_log_loss": losses.tolist(), **learned.settings}
        lines.append(f"{file}: {learned}; smoothed log loss {losses.iloc[0]:.2f} at first, {losses.iloc[-1]:.2f} at last")
    for file, _, _ in jobs:  # only now: who is stopped at the second does not begin again with the first
        file.with_suffix(".checkpoint").unlink(missing_ok=True)
    _finish(summary, "\n".join(lines), written, as_json)


@app.command()
def compare(
    context: typer.Context,
    name: TaskName,
    activations: Annotated[
        list[Path] | None,
        typer.Option(help="What `physlearn learn` wrote, TASK.safetensors by default; several files are meta-seeds."),
    ] = None,
    single: Annotated[
        list[Path] | None, typer.Option(help="One learned type, as many files; by default those beside the activations.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The directory to write to; TASK-comparison by default.")] = None,
    replicates: Annotated[int, typer.Option(help="Networks of each variant.", max=MOST)] = 50,
    epochs: Annotated[int | None, typer.Option(help="Of each network's training; the task's by default.", max=MOST)] = None,
    untuned: Annotated[bool, typer.Option("--untuned", help="The same learning rate for all, as in the paper.")] = False,
    forecasts: Annotated[bool, typer.Option(help="Roll the networks out, too.")] = True,
    data: Data = None,
    set_: OfTask = None,
    device: Device = "cpu",
    seed: Annotated[int, typer.Option(help="Random seed, below 2^32.")] = 0,
    workers: Processes = 1,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Compare learned activations with their base, with each type alone, and with others, by losses and forecasts.

    A comparison that was stopped resumes from the networks that are finished when the same command is given again.
    """
    task = _task(name, data, set_, device)
    files = activations or [Path(f"{name}.safetensors")]
    if activations is None and not files[0].is_file():
        raise InputError(f"there is no {files[0]} here: run `physlearn learn {name}` first, or give --activations")
    learned = [LearnedActivations.load(file) for file in files]
    beside = [_single(file) for file in files]
    controls = single or (beside if all(file.is_file() for file in beside) else [])
    directory = report.writable(out or Path(f"{name}-comparison"))
    context.with_resource(alone_in(directory))
    shared = Workers(workers, scheduler)
    settings: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    settings |= {"replicates": replicates, "seed": seed, "tuned": not untuned, "forecast": forecasts}
    settings["folder"] = directory / "units"
    alone = [LearnedActivations.load(file) for file in controls] or None
    if shared.alone:
        progress = sys.stderr.isatty() and not as_json
        result = comparison.compare(task, learned, single=alone, progress=progress, **settings)
    else:
        result = comparison.compare_apart(task, learned, alone, workers=shared, progress=False, **settings)
    written = [*result.save(directory), report.write_figure(directory / "panels.png", panels(task, learned[0], result))]
    shutil.rmtree(settings["folder"])  # all of it is in the result
    summary = {measure: json.loads(result.summary(measure).to_json(orient="index")) for measure in result.measures}
    overview = result.overview().to_string(float_format="{:.3g}".format, na_rep="")
    text = "\n".join([result.title, overview, f"  {result.budget}", f"  {result.seconds:.0f} s in all"])
    _finish(summary, text, written, as_json)


@app.command()
def bench(
    out: Annotated[Path, typer.Option(help="The directory to write to; a run that was stopped there goes on.")],
    names: Annotated[str | None, typer.Option("--tasks", help=f"Some of {', '.join(benchmarks.BENCHMARKS)}.")] = None,
    seeds: Annotated[int, typer.Option(help="Networks of each kind, each with its own orbits and noise.", max=MOST)] = 5,
    speed: Annotated[bool, typer.Option("--speed", help="Measure how fast this machine is instead, anew each time.")] = False,
    device: Device = "cpu",
    quick: Annotated[bool, typer.Option("--quick", help="A twentieth of the work, to see that it works.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train on the tasks of the paper Hamiltonian Neural Networks, and set its published numbers beside ours.

    The real pendulum needs its recording: PHYSLEARN_DATA names the folder; without it, that task is left out. With --speed,
    measure networks trained, meta-gradients and orbits a second, side by side on the CPU and on the device.
    """
    progress, device = sys.stderr.isatty() and not as_json, _device(device)
    if speed:
        measured = speeds.measure(out, device, quick=quick, progress=progress)
        written = [out / "speed.csv", out / "speed.md"]
        _finish([report.finite(row) for row in measured.to_dict("records")], speeds.markdown(measured), written, as_json)
        return
    chosen = benchmarks.available() if names is None else names.split(",")
    table = benchmarks.run(out, chosen, seeds, quick=quick, progress=progress)
    rows = [report.finite(row) for row in benchmarks.summary(table).reset_index().to_dict("records")]
    stem = out / ("quick" if quick else "benchmarks")
    _finish(rows, benchmarks.markdown(table), [stem.with_suffix(".csv"), stem.with_suffix(".md")], as_json)


@app.command()
def search(
    name: TaskName,
    activations: Annotated[list[str], typer.Argument(metavar="ACTIVATION...", help="Named ones, or learned in each trial.")],
    out: Annotated[Path, typer.Option(help="The directory to write to; a search that was stopped goes on there.")],
    trials: Annotated[int, typer.Option(help="Settings that are tried, of each activation as many.", max=MOST)] = 20,
    replicates: Annotated[int, typer.Option(help="Networks in each trial.", max=MOST)] = 6,
    epochs: Annotated[int | None, typer.Option(help="Epochs of training; the task's by default.", max=MOST)] = None,
    data: Data = None,
    set_: OfTask = None,
    device: Device = "cpu",
    seed: Seed = 0,
    workers: Processes = 1,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Find learning rate and width for each activation with the same budget, and for learned ones how they are learned."""
    task, progress = _task(name, data, set_, device), sys.stderr.isatty() and not as_json
    shared = Workers(workers, scheduler)
    training: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    table = comparison.search(
        task,
        activations,
        report.writable(out),
        trials=trials,
        replicates=replicates,
        seed=seed,
        workers=shared,
        progress=progress,
        **training,
    )
    path = out / "trials.parquet"
    with atomically(path) as temporary:
        table.to_parquet(temporary)
    found = comparison.best(table)
    _finish(json.loads(found.to_json(orient="index")), found.to_string(), [path, out / "search.db"], as_json)


@app.command()
def reproduce(
    figures: Annotated[list[str], typer.Argument(metavar="FIGURE...", help=f"{', '.join(reproduction.names())}, or all.")],
    out: Annotated[Path, typer.Option(help="The directory to write to; what is there is not computed again.")],
    quick: Annotated[bool, typer.Option("--quick", help="In minutes on two cores, instead of the paper's size.")] = False,
    data: Annotated[Path | None, typer.Option(help="A folder with clock_angles.csv; PHYSLEARN_DATA by default.")] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    workers: Processes = 1,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Make figures of the paper Neural networks embrace learned diversity: pictures, the tables behind them, manifests.

    A run that was stopped goes on where it was when the same command is given again.
    """
    folder = data or (Path(os.environ[FOLDER]) if os.environ.get(FOLDER) else None)
    progress = sys.stderr.isatty() and not as_json
    shared = Workers(workers, scheduler)
    written = reproduction.reproduce(
        figures,
        report.writable(out),
        quick=quick,
        seed=seed,
        device=_device(device),
        data=folder,
        progress=progress,
        workers=shared,
    )
    files = [path for paths in written.values() for path in paths]
    _finish({name: [str(path) for path in paths] for name, paths in written.items()}, ", ".join(written), files, as_json)


@app.command()
def explore(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="The one that is shown first.")] = "pendulum",
    port: Annotated[int, typer.Option(help="Of 127.0.0.1, where the page is served; 0: one that is free.")] = 5006,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    models: Annotated[Path | None, typer.Option(help="A folder that keeps trained models for the next time.")] = None,
    orbits: Annotated[int, typer.Option(help="How many each model learns from.", max=MOST)] = explorer.Learning.orbits,
    epochs: Epochs = explorer.Learning.epochs,
    hidden: Hidden = "100",
    seed: Seed = 0,
) -> None:
    """Explore true orbits against learned ones on a page of this machine's browser; Ctrl-C ends it."""
    learning = explorer.Learning(orbits, epochs, _widths(hidden), seed)
    explorer.serve(name, port=port, show=browser, learning=learning, folder=models and report.writable(models))


def _task(name: str, data: Path | None, settings: list[str] | None, device: str) -> tasks.Task:
    """The task with what was set; whole numbers are passed on as such."""
    given: dict[str, Any] = {k: int(v) if v.is_integer() else v for k, v in _parameters(settings or []).items()}
    if own := sorted({"name", "device", "data"} & set(given)):
        raise InputError(f"--set is for the numbers of a task, not for its {own[0]}")
    if data is not None:
        given["data"] = data
    return tasks.get(name, device=_device(device), **given)


def _single(path: Path) -> Path:
    """Where the control of one learned type lies, beside the file of a mix."""
    return path.with_name(f"{path.stem}-single{path.suffix}")


def main() -> None:
    """Run the command line: one clear line on stderr and exit code 2 for what the user can mend."""
    interruption.imported()
    try:
        if app(sys.argv[1:] or ["--help"], standalone_mode=False) == INTERRUPTED:  # older parsers raise instead
            _fail("interrupted", INTERRUPTED)
    except (InputError, IntegrationError, OSError, WorkersLostError) as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", INTERRUPTED)
    except MemoryError:
        _fail(limits.TOO_LARGE)
    except Exception as error:
        if limits.is_out_of_memory(error):
            _fail(limits.TOO_LARGE)
        if not hasattr(error, "format_message"):  # of the parser: an unknown command or option
            raise
        _fail(error.format_message())


def _fail(message: str, code: int = MISUSE) -> None:
    print(f"physlearn: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _finish(summary: Any, text: str, written: list[Path], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"result": summary, "written": [str(path) for path in written]}))
        return
    typer.echo(text)
    typer.echo("\nwritten: " + ", ".join(str(path) for path in written))


def _table(result: report.Report) -> str:
    """The columns that tell most, with as many digits as mean something."""
    columns = [name for name in COLUMNS if name in result.table]
    shown = result.table[columns].rename(columns={name: COLUMNS[name][0] for name in columns}).rename_axis(None)
    text = shown.to_string(formatters=[COLUMNS[name][1].format for name in columns], na_rep="-")
    return "\n".join([result.title, text, *(f"  {note}" for note in result.notes), f"  {result.seconds:.0f} s in all"])


def _parameters(settings: list[str]) -> dict[str, float]:
    parameters = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        try:
            parameters[key] = float(value)
        except ValueError as error:
            raise InputError(f"--set takes a name and a number, as mu=1.5, not {setting!r}") from error
        if not math.isfinite(parameters[key]):
            raise InputError(f"--set takes a finite number, as mu=1.5, not {setting!r}")
    return parameters


def _autonomous(name: str, set_: list[str] | None) -> Any:
    """The system with what was set; the suspension of one that depends on time."""
    system = systems.get(name, **_parameters(set_ or []))
    return system if system.autonomous else systems.Suspension(system)


def _energy(system: Any, energy: float | None) -> dict[str, float]:
    if energy is None:
        return {}
    if "energy" not in inspect.signature(system.sample).parameters:
        raise InputError(f"{system.name} does not sample by energy; leave --energy out")
    return {"energy": energy}


def _widths(hidden: str) -> tuple[int, ...]:
    if not hidden.isascii() or not all(width.strip().isdigit() for width in hidden.split(",")):
        raise InputError(f"--hidden takes widths, as 100 or 64,64, not {hidden!r}")
    widths = tuple(int(width) for width in hidden.split(","))
    limits.check_widths(widths)
    return widths


def _device(device: str) -> str:
    try:
        if torch.device(device).type not in DEVICES:
            raise InputError(f"--device is cpu or cuda, not {device!r}")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"there is no device {device!r} here; take cpu") from error
    return device


if __name__ == "__main__":
    main()
