"""``physlearn forecast``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import (
    MOST,
    Activation,
    AsJson,
    Device,
    Epochs,
    FocalLength,
    Folder,
    Hidden,
    KeepAll,
    Markers,
    Pendulums,
    Seed,
    SystemSettings,
    TrainingOrbits,
)
from physlearn.cli.registered import completing


def forecast(
    context: typer.Context,
    name: Annotated[
        str,
        Argument(
            metavar="SYSTEM|FILE",
            help="Name of a system (`physlearn systems`), or a CSV file of measurements.",
            autocompletion=completing("systems"),
        ),
    ],
    out: Folder,
    data: Annotated[Path | None, Option(help="CSV file of recorded angles to learn from, instead of a simulation.")] = None,
    film: Annotated[Path | None, Option(help="Film of a pendulum to track and learn from, instead of a simulation.")] = None,
    markers: Markers = None,
    pendulums: Pendulums = None,
    pendulum: Annotated[
        int | None, Option(help="Number of the film's pendulum to learn from, counted from the left. Default: 0.")
    ] = None,
    focal_length: FocalLength = None,
    columns: Annotated[
        str | None,
        Option(help="Names of the CSV file's columns, such as 't,theta [deg],_'; _ skips a column. Default: the header."),
    ] = None,
    coordinates: Annotated[str | None, Option(help="Columns to forecast, such as x,y. Default: all that vary.")] = None,
    time_column: Annotated[str | None, Option(help="Column of the times. Default: t, time, date or the like.")] = None,
    run: Annotated[str | None, Option(help="Column that tells runs apart. Default: run, trial or orbit.")] = None,
    parameters: Annotated[
        str | None, Option(help="Columns that are constant in each run and given. Default: all that differ between runs.")
    ] = None,
    inputs: Annotated[str | None, Option(help="Columns that are given at all times, such as torque.")] = None,
    positions: Annotated[
        bool | None,
        Option("--positions/--states", help="Whether velocities must be derived. Default: decided by the data."),
    ] = None,
    loss: Annotated[
        str | None, Option(help="Loss of measured states: derivative, step, shooting or weak. Default: what suits the data.")
    ] = None,
    members: Annotated[
        int | None,
        Option(help="Number of networks, for bands and a trusted time of measured states. Default: 1.", min=1, max=1000),
    ] = None,
    model: Annotated[
        str | None,
        Option(
            help="Model to train: {models}, {memories}, or best, which validation chooses. Default: a line-up of models.",
            autocompletion=completing("models", "memories"),
        ),
    ] = None,
    method: Annotated[
        str | None,
        Option(
            help="Integrator to roll the model out with: {integrators}. Needs --model.",
            autocompletion=completing("integrators"),
        ),
    ] = None,
    integrator: Annotated[str | None, Option(hidden=True)] = None,
    energy: Annotated[float | None, Option(help="Energy of the forecast orbits, for systems that sample by energy.")] = None,
    duration: Annotated[
        float | None, Option("--time", help="Duration of each forecast; at most the last fifth of a film.")
    ] = None,
    dt: Annotated[float | None, Option(help="Time step of the training data and of the forecast.")] = None,
    orbits: TrainingOrbits = None,
    test_orbits: Annotated[int | None, Option(help="Number of orbits to forecast.", max=MOST)] = None,
    epochs: Epochs = 200,
    batch_size: Annotated[int, Option(help="Number of samples per training step.", max=MOST)] = 100,
    learning_rate: Annotated[float, Option(help="Initial learning rate; it decays to zero along a cosine.")] = 5e-3,
    hidden: Hidden = "100",
    activation: Activation = "tanh",
    angles: Annotated[
        bool, Option("--angles", help="Give networks the cosine and sine of every coordinate that has a period.")
    ] = False,
    set_: SystemSettings = None,
    device: Device = "cpu",
    seed: Seed = 0,
    keep_all: KeepAll = False,
    as_json: AsJson = False,
) -> None:
    """Learn a system or measurements, and forecast orbits.

    SYSTEM is simulated, unless --data or --film has a recording of it. Without --model, a line-up of models is compared:
    baselines, NN and HNNs, each with the integrators that suit it and with Euler's method.

    FILE has any columns: times, states, and perhaps runs, parameters and inputs. The last runs, or the last part of each, are
    forecast and compared with the file.
    """
    if integrator is not None:
        typer.echo("physlearn: --integrator is deprecated and will be removed; use --method", err=True)
        method = integrator if method is None else method
    with importing():
        from physlearn.cli import limits, values
        from physlearn.forecasting import contender, files, measured_forecast, measurements, recorded, simulated
        from physlearn.jobs import alone_in
        from physlearn.models.build import check_angles
        from systems import InputError
    check_angles(model, angles)
    own = {
        "--coordinates": coordinates,
        "--time-column": time_column,
        "--run": run,
        "--parameters": parameters,
        "--inputs": inputs,
        "--positions": positions,
        "--loss": loss,
        "--members": members,
    }
    of_file = values.is_file(name)
    if not of_file and (given := [option for option, value in own.items() if value is not None]):
        raise InputError(f"{given[0]} is for a file of measurements, as in physlearn forecast data.csv; {name} is a system")
    settings: dict[str, Any] = {
        "training": {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate},
        "hidden": values.widths(hidden),
        "activation": activation,
        "angles": angles,
        "device": values.device(device),
        "seed": seed,
        "progress": progress(as_json),
    }
    of_film = {"--markers": markers, "--pendulums": pendulums, "--pendulum": pendulum, "--focal-length": focal_length}
    if film is None and (given := [option for option, value in of_film.items() if value is not None]):
        raise InputError(f"{given[0]} is for a film; give one with --film")
    unused = {
        "--energy": energy,
        "--time": duration,
        "--dt": dt,
        "--orbits": orbits,
        "--test-orbits": test_orbits,
        "--set": set_,
    }
    if of_file:
        if given := [
            option for option, value in {**unused, "--data": data, "--film": film, "--method": method}.items() if value
        ]:
            raise InputError(f"{given[0]} is for systems, and does not apply to a file of measurements")
        found = measurements.read(
            name, columns=values.listed(columns), time=time_column, run=run, coordinates=values.listed(coordinates),
            parameters=values.listed(parameters), inputs=values.listed(inputs) or (), positions=positions,
        )  # fmt: skip
        names = measured_forecast.line_up(found, model)
        folder = files.writable(out)
        context.with_resource(alone_in(folder))
        told = measured_forecast.forecast_measurements(found, names, loss=loss, members=members or 1, **settings)
        answer(told.metrics(), str(told), told.save(folder, keep_all=keep_all), as_json)
        return
    if data is None and film is None:
        system = values.autonomous(name, set_)
        chosen = contender.choose(model, method, system.canonical, dim=system.dim)
        protocol = simulated.protocol_of(
            system, training_orbits=orbits, test_orbits=test_orbits, time=duration, dt=dt,
            test_sample=values.energy(system, energy) or None,
        )  # fmt: skip
        limits.check_protocol(protocol, system.dim, len(chosen))
        folder = files.writable(out)
        context.with_resource(alone_in(folder))
        result = simulated.forecast_system(system, chosen, protocol, **settings)
        answer(result.metrics(), str(result), result.save(folder, keep_all=keep_all), as_json)
        return
    if film is not None:
        unused.pop("--time")
        values.check_pendulum(name)
    if given := [option for option, value in unused.items() if value is not None]:
        raise InputError(f"{given[0]} is for simulated systems; a recording comes with its own")
    if film is not None and (data is not None or columns is not None):
        raise InputError("--film takes the place of --data and --columns; give one or the other")
    chosen = contender.choose(model, method, hamiltonian=True, recorded=True)
    folder = files.writable(out)
    context.with_resource(alone_in(folder))
    recordings: dict[str, Any] = {}
    written: list[Path] = []
    if film is not None:
        recordings, written = recorded.read_film(
            film, folder, markers=values.markers(markers), pendulums=pendulums, pendulum=pendulum or 0,
            focal_length=focal_length, progress=settings["progress"],
        )  # fmt: skip
    elif data is not None:
        recordings = recorded.read_recording(data, values.listed(columns))
    results = {}
    for rates, recording in recordings.items():
        results[rates] = recorded.forecast_recording(recording, chosen, name=name, duration=duration, **settings)
        written += results[rates].save(folder, f"{rates}-", keep_all=keep_all)
    text = "\n\n".join(map(str, results.values()))
    answer({rates: result.metrics() for rates, result in results.items()}, text, written, as_json)
