"""``physlearn periodic-orbits``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from physlearn.cli.answer import answer
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, Plot, ReportFile, Seed, SystemName, SystemSettings
from physlearn.cli.output import output

if TYPE_CHECKING:
    from physlearn.chaos import Family, PeriodicOrbit

SETTLING = 200.0  # time scales of the flow after which an orbit from a random state has reached an attractor


def periodic_orbits(
    context: typer.Context,
    name: SystemName,
    at: Annotated[
        str | None, Option(help="State near the orbit, such as 2.0,0.0. Default: a random state, after a transient.")
    ] = None,
    period: Annotated[
        float | None, Option(help="Guess of the period. Default: the time of the first near return, or the drive's period.")
    ] = None,
    fix: Annotated[
        str | None, Option(help="What a conservative orbit shares with the guess: energy or period. Default: the energy.")
    ] = None,
    energy: Annotated[float | None, Option(help="Energy of the random state, for systems that sample by energy.")] = None,
    transient: Annotated[float | None, Option(help="Time to integrate before the search. Default: 0 with --at.")] = None,
    continue_: Annotated[
        str | None,
        Option("--continue", help="Parameter, energy or period through which to follow the orbit, such as mu=0.1:3."),
    ] = None,
    step: Annotated[float, Option(help="Largest step along the family, relative to the orbit and to the range.")] = 0.05,
    set_: SystemSettings = None,
    out: Annotated[Path | None, output("File to write: .nc for an orbit, .csv for a family.", ".nc", ".csv")] = None,
    plot: Plot = None,
    report: ReportFile = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find a periodic orbit of a system, or a family of them.

    The orbit need not be stable. Its Floquet multipliers, the factors by which small deviations grow in a period, are printed
    with it. A family is followed past folds, and its bifurcations are located.
    """
    with importing():
        import systems
        from physlearn import chaos
        from physlearn.chaos.time_scale import time_scale
        from physlearn.cli import limits, pictured, values
        from physlearn.flow import Flow
        from physlearn.forecasting import files, picture
        from systems.ending import check_ending
    along = values.interval(continue_)
    if out is not None:
        check_ending(out, [".nc" if along is None else ".csv"], "--out")
    parameters = values.parameters(set_)
    if along is not None and along[0] not in ("energy", "period"):
        parameters[along[0]] = along[1][0]
    system = systems.get(name, **parameters)
    files.writable_files(out, plot, report)
    given = values.state(at, system)
    z0 = system.sample(1, seed=seed, **values.energy(system, energy))[0] if given is None else given
    if transient is None:
        settles = given is None and not system.canonical
        transient = SETTLING * time_scale(Flow.of(system), z0[None]) if settles else 0.0
    for time in (transient, period or 0.0):
        limits.check_duration(system, z0[None], time)
    how: Any = {"period": period, "fix": fix, "transient": transient}
    written: list[Path] = []
    if along is None:
        orbit = chaos.periodic_orbit(system, z0, **how)
        if out is not None:
            orbit.orbit.save(out)
        drawn = partial(picture.of_orbit, orbit.orbit, system)
        summary, text, table = _of_orbit(orbit), _told(name, orbit, system.coordinates), orbit.to_frame()
    else:
        family = chaos.continue_periodic_orbit(system, z0, *along, step=step, **how)
        if out is not None:
            files.write_table(out, family.table)
        drawn = partial(picture.of_family, family)
        summary, text, table = _of_family(family), _listed(name, family), family.table
    written += [] if out is None else [out]
    title, *notes = text.splitlines()[:2]
    written += pictured.write(context, plot, report, drawn, title, {"Floquet multipliers": table}, notes)
    answer({"system": name, **summary}, text, written, as_json)


def _pairs(values: list[complex]) -> list[list[float]]:
    return [[value.real, value.imag] for value in values]


def _of_orbit(orbit: PeriodicOrbit) -> dict[str, Any]:
    """Return the orbit as JSON values; multipliers are pairs of real and imaginary part."""
    return {
        "period": orbit.period,
        "energy": orbit.energy,
        "stable": orbit.stable,
        "z": orbit.z.tolist(),
        "multipliers": _pairs(orbit.multipliers.tolist()),
        "exponents": orbit.exponents.tolist(),
        "residual": orbit.residual,
    }


def _told(name: str, orbit: PeriodicOrbit, coordinates: tuple[str, ...]) -> str:
    """Return the orbit as text."""
    state = ", ".join(f"{c} = {value:.10g}" for c, value in zip(coordinates, orbit.z.tolist(), strict=True))
    lines = [
        f"{name}: {'stable' if orbit.stable else 'unstable'} periodic orbit of period {orbit.period:.12g}",
        f"  at {state}" + ("" if orbit.energy is None else f"; energy {orbit.energy:.12g}"),
        f"  {'multiplier':>28}  {'modulus':>12}  growth rate",
    ]
    for value, rate in zip(orbit.multipliers.tolist(), orbit.exponents.tolist(), strict=True):
        lines.append(f"  {_complex(value):>28}  {abs(value):>12.6g}  {rate:>11.6g}")
    return "\n".join([*lines, f"  largest gap between segments: {orbit.residual:.1e} of the orbit's spread"])


def _complex(value: complex) -> str:
    return f"{value.real:.8g}" if abs(value.imag) < 1e-12 else f"{value.real:.8g}{value.imag:+.8g}i"


def _of_family(family: Family) -> dict[str, Any]:
    """Return the table of the family as JSON values."""
    from physlearn.forecasting.files import finite

    rows = []
    for record, orbit in zip(family.table.to_dict("records"), family.orbits, strict=True):
        kept = {key: value for key, value in record.items() if not str(key).startswith("multiplier_")}
        rows.append({**finite(kept), "z": orbit.z.tolist(), "multipliers": _pairs(orbit.multipliers.tolist())})
    return {"parameter": family.parameter, "ended": family.ended, "rows": rows}


def _listed(name: str, family: Family) -> str:
    """Return the ends and the bifurcations of the family as text."""
    table = family.table.loc[:, :"bifurcation"]
    kept = (table["bifurcation"] != "").to_numpy(copy=True)
    kept[[0, -1]] = True
    shown = table[kept].to_string(index=False, float_format="{:.8g}".format, na_rep="-")
    return f"{name}: {len(family.orbits)} periodic orbits along {family.parameter}; {family.ended}\n{shown}"
