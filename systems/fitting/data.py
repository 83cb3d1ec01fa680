"""Measured orbits as the runs of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from systems.data_like import Data
from systems.errors import InputError
from systems.orbit import Orbit
from systems.origins import differences
from systems.recording.unwrapping import continued
from systems.system import System

PAUSE = 1000  # median steps without a measured value, over which an orbit may have too many turns to be computed

Array = np.ndarray


@dataclass(frozen=True)
class Run:
    """One measured orbit, in the coordinates of the system.

    Parameters
    ----------
    t : shape ``(T,)``
        Times at which a coordinate was measured.
    z : shape ``(T, D)``
        States, NaN where a coordinate was not measured.
    periods : shape ``(D,)``
        Period of each coordinate; infinite for one that is no angle.
    """

    t: Array
    z: Array
    periods: Array

    def shortest(self, difference: Array) -> Array:
        """Return differences between states, modulo the periods."""
        turns = np.round(difference / self.periods)  # zero for an infinite period
        return difference - turns * np.where(np.isfinite(self.periods), self.periods, 0.0)

    def unwrapped(self) -> Array:
        """Return the measured states with angles that do not jump by a period."""
        return continued(self.z, self.periods)


def measured(system: System, orbits: Data, each: Sequence[str]) -> Orbit:
    """Return the data of a fit as an orbit, whose runs may differ in the parameters ``each``.

    Raises InputError if its coordinates are not coordinates of the system, if nothing was measured, or if the provenance of
    the runs names several systems, or several values of a parameter that has one value in the fit.
    """
    if isinstance(orbits, list | tuple) and orbits and all(isinstance(one, Orbit) or hasattr(one, "iloc") for one in orbits):
        runs = [Orbit.of(one) for one in orbits]
        _check_origins(system, [run.provenance for run in runs], each)
        orbits = [replace(run, provenance={}) for run in runs]  # otherwise, runs that differ cannot be joined
    orbit = Orbit.of(orbits)
    numbered = tuple(f"z{i}" for i in range(system.dim))
    unknown = [name for name in orbit.coordinates if name not in system.coordinates]
    if unknown and orbit.coordinates != numbered:
        raise InputError(
            f"the data have the coordinate {unknown[0]}, but {system.name or type(system).__name__} has "
            f"{', '.join(system.coordinates)}; name the measured ones with systems.Orbit.of(data, coordinates=...)"
        )
    if not orbit.measured.any():
        raise InputError("the data have no measured value, but a fit needs more values than unknowns; pass other data")
    return orbit


def _check_origins(system: System, provenances: Sequence[Mapping[str, Any]], each: Sequence[str]) -> None:
    for _, parameter, (one, other) in differences(provenances):
        if parameter is None:
            raise InputError(f"one fit cannot use orbits of {one} and of {other}; fit the orbits of each system alone")
        if parameter in system.parameters and parameter not in each:
            raise InputError(
                f"the orbits were made with {parameter}={one} and {parameter}={other}, but the fit has one value for all "
                f'runs; name it in each="{parameter}", for a value in each run, or fit the orbits one by one'
            )


def runs_of(system: System, orbit: Orbit) -> list[Run]:
    """Return the orbits of a batch as runs, with NaN for the coordinates of the system that were not measured."""
    numbered = not set(orbit.coordinates) <= set(system.coordinates)
    names = system.coordinates if numbered else orbit.coordinates
    own = [orbit.periods.get(name, np.inf) for name in orbit.coordinates]
    periods = {**dict(zip(names, own, strict=True)), **system.periods}
    places = [system.coordinates.index(name) for name in names]
    runs = []
    for one in orbit.separate():
        z = np.full((len(one.t), system.dim), np.nan)
        z[:, places] = one.z.detach().cpu().double().numpy()
        if np.isinf(z).any():
            raise InputError("the data have infinite values; mark what was not measured by NaN")
        t = one.t.detach().cpu().double().numpy()
        runs.append(Run(t, z, np.array([periods.get(name, np.inf) for name in system.coordinates])))
    return runs


def check_pauses(runs: Sequence[Run], error: Exception) -> None:
    """Raise InputError if orbits cannot be computed, by this error, and a run has a long pause, which may be the reason."""
    for number, run in enumerate(runs):
        steps = np.abs(np.diff(run.t))
        if len(steps) and steps.max() > PAUSE * np.median(steps):
            k = int(steps.argmax())
            raise InputError(
                f"run {number} pauses from t = {run.t[k]:g} to t = {run.t[k + 1]:g}, over which no orbit can be computed; "
                "pass the parts before and after the pause as runs of their own, in a list"
            ) from error
