"""What a file of measurements contains: runs, states, given values, and what is left out."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.spatial import cKDTree

from physlearn.forecasting.channels import Channels, states_only
from physlearn.forecasting.smoothed import Smoothed
from systems import AccuracyWarning, InputError, Orbit

BY_PRODUCTS = re.compile(r"(?:frame|quality|index|row|.*_error)", re.IGNORECASE)  # columns that say nothing about the motion
RATES = ("v_{}", "v{}", "p_{}", "p{}", "{}_dot", "{}dot", "d{}", "d_{}", "d{}dt", "d{}/dt", "{}'")  # of a coordinate {}
USUAL = {
    "theta": ("omega", "p"),
    "phi": ("omega", "p"),
    "angle": ("omega",),
    "q": ("p",),
    "x": ("v", "p"),
    "position": ("velocity",),
}
ALIKE = 0.9  # smallest correlation of a velocity or momentum with the rate of its position
UNDETERMINED = 0.6  # of the spread of the rates: states differ by up to 0.4 (sparse Lorenz), positions by about 1
NEIGHBOURS = 30
TURN_PART = 8  # neighbours in time are states within this part of a turn


@dataclass(frozen=True)
class Measurements:
    """Runs of a measurement, and the meaning of their columns.

    Parameters
    ----------
    name : str
        Name of the file.
    runs : list of Orbit
        The runs, whose coordinates are the states, then the parameters and inputs.
    channels : Channels
        Names of the parameters and inputs.
    pairs : dict of str to str
        Velocity or momentum of each position, by the name of the position; empty if these are not known.
    positions : bool
        Whether the states are positions only, so that velocities must be derived.
    why : str
        How the former was decided.
    left_out : dict of str to str
        Reason for each column that is not used.
    """

    name: str
    runs: list[Orbit]
    channels: Channels
    pairs: Mapping[str, str] = field(default_factory=dict)
    positions: bool = False
    why: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the coordinates that are forecast, before velocities are derived."""
        return tuple(name for name in self.runs[0].coordinates if name not in self.channels.names)

    def __str__(self) -> str:
        units, lengths = self.runs[0].units, [len(run.t) for run in self.runs]
        steps = np.concatenate([run.t.diff().abs().numpy() for run in self.runs])
        even = float(steps.max() - steps.min()) < 0.01 * float(np.median(steps))
        first, last = (min(float(run.t.min()) for run in self.runs), max(float(run.t.max()) for run in self.runs))
        unit = f" {units['t']}" if "t" in units else ""
        size = f"{lengths[0]} times" if len(set(lengths)) == 1 else f"{min(lengths)} to {max(lengths)} times"
        missing = 1 - float(torch.cat([run.measured.flatten() for run in self.runs]).double().mean())
        lines = [
            f"{self.name}: {len(self.runs)} run{'s' if len(self.runs) > 1 else ''} of {size}, t = {first:.6g} to {last:.6g}"
            f"{unit}, {'equal' if even else 'uneven'} steps of {float(np.median(steps)):.4g}{unit}"
            + (f", {100 * missing:.2g} % of the values missing" if missing else ""),
            f"states: {_told(self.states, units)}" + (f" ({self.why})" if self.why else ""),
        ]
        periods = self.runs[0].periods
        lines += (
            [f"angles: {', '.join(f'{name} with the period {period:.6g}' for name, period in periods.items())}"]
            if periods
            else []
        )
        for what in ("parameters", "inputs"):
            if names := getattr(self.channels, what):
                lines.append(f"{what}: {_told(names, units)}")
        if self.left_out:
            lines.append("left out: " + ", ".join(f"{name} ({why})" for name, why in self.left_out.items()))
        return "\n".join(f"  {line}" if k else line for k, line in enumerate(lines))


def read(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    columns: Sequence[str] | None = None,
    time: str | None = None,
    run: str | None = None,
    coordinates: Sequence[str] | None = None,
    periods: Mapping[str, float] | None = None,
    parameters: Sequence[str] | None = None,
    inputs: Sequence[str] = (),
    positions: bool | None = None,
) -> Measurements:
    """Read the runs of a CSV file, and find out what its columns are.

    Columns that are constant along each run, but differ between runs, are parameters. Columns without any variation, and
    by-products such as ``frame``, are left out. A column that is named like the velocity or momentum of another, such as
    ``v_x`` for ``x``, is one if it is proportional to the rate of the other. Without such pairs, a single coordinate is a
    position. Several are if states that are close to each other have different rates.

    Parameters
    ----------
    path, columns, time, run, coordinates, periods
        As for `systems.Orbit.of`; ``time`` is its ``t``.
    parameters, inputs
        Names of the columns that are given and not forecast. By default, parameters are found as above.
    positions
        Whether the coordinates are positions only, so that velocities must be derived. By default, this is found as above.

    Returns
    -------
    Measurements
        The runs.

    Raises
    ------
    InputError
        If the file cannot be read, or if no state is left to forecast.
    """
    known = [*(parameters or ()), *inputs]
    wanted = None if coordinates is None else [*coordinates, *(name for name in known if name not in coordinates)]
    orbit = Orbit.of(path, time, wanted, periods=periods, run=run, columns=columns)
    runs = orbit.separate()
    for name in known:
        orbit.index(name)
    left_out: dict[str, str] = {}
    found: list[str] = []
    given = {*(coordinates or ()), *known}
    for name in orbit.coordinates:
        if name in given:
            continue
        values = [run.z[:, run.index(name)] for run in runs]
        values = [x[x.isfinite()] for x in values]
        if BY_PRODUCTS.fullmatch(name):
            left_out[name] = "a by-product"
        elif not any(len(x) for x in values):
            left_out[name] = "never measured"
        elif all((x == x[0]).all() for x in values if len(x)):
            constant = len({float(x[0]) for x in values if len(x)}) == 1
            if constant or parameters is not None:
                left_out[name] = "constant" if constant else "constant in each run"
            else:
                found.append(name)
    channels = Channels(tuple(found if parameters is None else parameters), tuple(inputs))
    states = [name for name in orbit.coordinates if name not in (*left_out, *channels.names)]
    if not states:
        raise InputError(
            f"{path} has no column that varies and is neither a parameter nor an input, so there is nothing to forecast"
        )
    runs = [_selected(run, [*states, *channels.names]) for run in runs]
    runs = [run for run in runs if len(run.t) > 1]
    told = orbit.provenance.get("file", str(path))
    plain = states_only([_selected(run, states) for run in runs])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # the training says the same
        smooth = Smoothed.of(plain)
    pairs = {} if positions else _pairs(states, smooth)
    if pairs:
        order = [*pairs, *pairs.values(), *(name for name in states if name not in pairs and name not in pairs.values())]
        runs = [columns_of(run, [*order, *channels.names]) for run in runs]
    alone, why = bool(positions), "as it was asked for" if positions else ""
    if pairs:
        why = ", ".join(f"{v} is the rate of {q}, up to a factor" for q, v in pairs.items())
    elif positions is None:
        alone, why = _are_positions(states, smooth)
    return Measurements(str(told), runs, channels, pairs, alone, why, left_out)


def _are_positions(states: Sequence[str], smooth: Smoothed) -> tuple[bool, str]:
    """Return whether states are positions only, and why."""
    if len(states) == 1:
        return True, "a position, whose velocity is derived"
    if not np.isfinite(smooth.relative_noise):
        return False, f"{smooth.per_turn:.3g} states per turn are too few to tell whether these are positions only"
    part = _undetermined(smooth)
    told = f"neighbouring states have rates that differ by {part:.0%} of their spread"
    alone = part > UNDETERMINED
    return alone, told + (", so that they are positions, whose velocities are derived" if alone else "")


def columns_of(run: Orbit, names: Sequence[str]) -> Orbit:
    """Return a run with some of its coordinates, without rates."""
    return Orbit(
        run.t.double(),
        run.z[:, [run.index(name) for name in names]].double(),
        coordinates=tuple(names),
        provenance=run.provenance,
        periods={name: period for name, period in run.periods.items() if name in names},
        units={name: unit for name, unit in run.units.items() if name in (*names, "t")},
    )


def _selected(run: Orbit, names: Sequence[str]) -> Orbit:
    """Return a run with some coordinates, at the times at which one of them was measured."""
    return columns_of(run, names).separate()[0]


def _pairs(states: Sequence[str], smooth: Smoothed) -> dict[str, str]:
    """Return the velocity or momentum of each position, if all states belong to such pairs, and an empty mapping otherwise."""
    z, rate, _ = _stacked(smooth)
    found: dict[str, str] = {}
    for i, name in enumerate(states):
        stem, _, number = name.partition("_")
        usual = [f"{other}_{number}" if number else other for other in USUAL.get(stem, ())]
        for partner in [form.format(name) for form in RATES] + usual:
            if partner in states and partner != name and partner not in found.values() and name not in found.values():
                j = states.index(partner)
                if np.corrcoef(rate[:, i], z[:, j])[0, 1] > ALIKE:
                    found[name] = partner
                    break
    return found if 2 * len(found) == len(states) else {}


def _undetermined(smooth: Smoothed) -> float:
    """Return the root mean square difference of the rates of neighbouring states, relative to that of any two states."""
    stacked = _stacked(smooth)
    z, rate = (x / (x.std(0) + np.finfo(float).tiny) for x in stacked[:2])
    run = np.repeat(np.arange(len(smooth.orbits)), [len(orbit.t) for orbit in smooth.orbits])[stacked[2]]
    place = np.concatenate([np.arange(len(orbit.t)) for orbit in smooth.orbits])[stacked[2]]
    _, near = cKDTree(z).query(z, k=min(NEIGHBOURS, len(z)))
    apart = (run[near] != run[:, None]) | (np.abs(place[near] - place[:, None]) > smooth.per_turn / TURN_PART)
    some = apart.any(1)
    if not some.any():
        return 0.0
    first = near[np.arange(len(z)), apart.argmax(1)][some]
    return float(np.sqrt(np.square(rate[first] - rate[some]).mean() / 2))


def _stacked(smooth: Smoothed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the states and the rates of all runs where these are known, and where that is."""
    z, rate = (np.concatenate([getattr(orbit, name).numpy() for orbit in smooth.orbits]) for name in ("z", "rate"))
    known = np.isfinite(z).all(1) & np.isfinite(rate).all(1)
    return z[known], rate[known], known


def _told(names: Sequence[str], units: Mapping[str, str]) -> str:
    return ", ".join(f"{name} [{units[name]}]" if name in units else name for name in names)
