"""``physlearn chaos``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import (
    MOST,
    Activation,
    AsJson,
    Device,
    Epochs,
    Folder,
    Hidden,
    KeepAll,
    Seed,
    SystemName,
    SystemSettings,
    TrainingOrbits,
)


def chaos(
    context: typer.Context,
    name: SystemName,
    out: Folder,
    energy: Annotated[
        float | None, Option(help="Energy of all orbits, which then start on a grid on the surface of section.")
    ] = None,
    orbits: Annotated[int, Option(help="Number of orbits to follow.", max=MOST)] = 50,
    duration: Annotated[float | None, Option("--time", help="Duration of each orbit. Default: 10000 steps.")] = None,
    dt: Annotated[float | None, Option(help="Time step. Default: that of the training data.")] = None,
    surface: Annotated[
        str | None, Option(help="Surface of section: a coordinate and its value, such as x=0. Default: the system's own.")
    ] = None,
    direction: Annotated[int, Option(help="Direction of the crossings: 1 upwards, -1 downwards, 0 both.")] = 1,
    models: Annotated[
        str | None, Option(help="Models to train, such as nn,hnn, of {models}; none looks at the system alone.")
    ] = None,
    indicators: Annotated[
        str | None, Option(help="Further indicators for the table, separated by commas: {indicators}.")
    ] = None,
    activations: Annotated[
        Path | None,
        Option(help="Learned activations, as `physlearn learn` writes them; each model is trained with them as well."),
    ] = None,
    training_orbits: TrainingOrbits = None,
    epochs: Epochs = 200,
    hidden: Hidden = "100",
    activation: Activation = "tanh",
    set_: SystemSettings = None,
    device: Device = "cpu",
    seed: Seed = 0,
    keep_all: KeepAll = False,
    as_json: AsJson = False,
) -> None:
    """Compare order and chaos in a system and in models of it.

    Poincare sections are drawn side by side. The table holds class agreement, chaotic fraction, Lyapunov exponents, distances
    of sections and climate, and valid times.
    """
    with importing():
        from physlearn import LearnedActivations
        from physlearn.cli import limits, values
        from physlearn.forecasting import files, long_run, simulated
        from physlearn.jobs import alone_in
    system = values.autonomous(name, set_)
    plane = values.surface(surface) or system.surface
    learned = None if activations is None else LearnedActivations.load(activations)
    chosen = long_run.choose(_names(models), activation, system.canonical, learned)
    protocol = simulated.protocol_of(system, training_orbits=training_orbits)
    dt = protocol.dt if dt is None else dt
    duration = 10_000 * dt if duration is None else duration
    limits.check_protocol(protocol, system.dim, len(chosen))
    limits.check_run(orbits, duration, dt, system.dim)
    z0 = long_run.initial_states(system, orbits, energy, plane, direction, seed).to(values.device(device))
    folder = files.writable(out)
    context.with_resource(alone_in(folder))
    result = long_run.long_run(
        system,
        z0,
        chosen,
        protocol,
        time=duration,
        surface=plane,
        direction=direction,
        dt=dt,
        energy=energy,
        seed=seed,
        progress=progress(as_json),
        indicators=[] if indicators is None else indicators.split(","),
        training={"epochs": epochs},
        hidden=values.widths(hidden),
        device=device,
    )
    answer(result.metrics(), str(result), result.save(folder, keep_all=keep_all), as_json)


def _names(models: str | None) -> list[str] | None:
    if models is None:
        return None
    return [] if models == "none" else models.split(",")
