"""``physlearn simulate``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, AsJson, Device, Plot, ReportFile, Seed, SystemName, SystemSettings
from physlearn.cli.output import output


def simulate(
    context: typer.Context,
    name: SystemName,
    out: Annotated[Path, output("NetCDF file to write: .nc.", ".nc")] = Path("orbit.nc"),
    energy: Annotated[float | None, Option(help="Energy of the initial states, for systems that sample by energy.")] = None,
    orbits: Annotated[int, Option(help="Number of orbits.", max=MOST)] = 1,
    duration: Annotated[float, Option("--time", help="Duration of each orbit.")] = 100.0,
    dt: Annotated[float, Option(help="Time between two states.")] = 0.1,
    set_: SystemSettings = None,
    plot: Plot = None,
    report: ReportFile = None,
    animation: Annotated[Path | None, output("Animation to write: .gif or .mp4.", ".gif", ".mp4")] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Simulate orbits of a system from random initial states.

    The orbits are accurate to many digits and are written to one netCDF file.
    """
    with importing():
        import pandas as pd
        import torch

        import systems
        from physlearn import metrics, plotting
        from physlearn.cli import limits, pictured, values
        from physlearn.forecasting import files, picture
    system = systems.get(name, **values.parameters(set_))
    files.writable_files(out, plot, report, animation)
    if not (0 < duration < math.inf and 0 < dt <= duration):
        raise systems.InputError(
            f"--time {duration:g} and --dt {dt:g} must be positive and finite, and dt not longer than the time"
        )
    limits.check_orbits(orbits, duration, dt, system.dim)
    z0 = system.sample(orbits, seed=seed, **values.energy(system, energy)).to(values.device(device))
    limits.check_duration(system, z0, duration)
    orbit = system.orbit(z0, torch.arange(round(duration / dt) + 1, dtype=torch.float64) * dt).to("cpu")
    orbit.save(out)
    written = [out]
    if animation is not None:
        written.append(plotting.animate(orbit, animation, progress=progress(as_json)))
    summary: dict[str, Any] = {"system": name, "orbits": orbits, "time": duration, "dt": dt, "seed": seed}
    if isinstance(system, systems.HamiltonianSystem):
        summary["energy_error"] = float(metrics.energy_error(orbit, system).max())
    table = pd.DataFrame([summary]).set_index("system").T
    written[1:1] = pictured.write(
        context, plot, report, lambda: picture.of_orbit(orbit, system), f"{name}: {orbit}", {"Orbits": table}
    )
    answer(summary, f"{name}: {orbit}", written, as_json)
