"""Inputs and parameters as channels of the data: columns of orbits that are given and not forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from physlearn.forecasting.smoothed import Measured
from physlearn.models.build import check_given
from physlearn.training.driven import DrivenOrbit, given_at
from systems import InputError, Orbit

ROUNDING = 8  # largest relative variation of a constant, in units of the precision of the data
Ranges = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Channels:
    """The names of the given values of a forecaster.

    Parameters
    ----------
    parameters
        Values that are constant along each run.
    inputs
        Values that depend on time, such as a torque.
    """

    parameters: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, parameters: str | Sequence[str], inputs: str | Sequence[str], model: str) -> Channels:
        """Return the checked names. Raises InputError for anything else, and if the model takes no given values."""
        found = []
        for what, names in (("parameters", parameters), ("inputs", inputs)):
            listed = (names,) if isinstance(names, str) else names
            if not isinstance(listed, list | tuple) or not all(isinstance(name, str) and name for name in listed):
                raise InputError(f'{what} must be a list of names, such as {what}=("{what[:-1]}",), not {names!r:.80}')
            found.append(tuple(str(name) for name in listed))
        channels = cls(*found)
        if twice := [name for name in channels.names if channels.names.count(name) > 1]:
            raise InputError(f"{twice[0]!r} is named twice in parameters and inputs: name it once")
        check_given(model, len(channels.names))
        return channels

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order in which models take the values."""
        return (*self.parameters, *self.inputs)

    def runs(self, orbits: Orbit | Sequence[Orbit]) -> list[Orbit]:
        """Return orbits without the columns of the channels, run by run, with their given values.

        Parameters
        ----------
        orbits
            An orbit, a batch of orbits, or a list of either. Without channels, they are returned as they are.

        Raises
        ------
        InputError
            If they are not orbits; if a channel is neither a coordinate nor, for a parameter, in
            ``provenance["parameters"]``; if a parameter varies along a run; if an input is not known where states are; or if
            no coordinate is left.
        """
        listed = Measured.of(orbits).orbits
        if not self.names:
            return listed
        return [run for orbit in listed for one in orbit.separate() for run in self._run(one)]

    def ranges(self, runs: Sequence[Orbit], known: Ranges) -> Ranges:
        """Return the smallest and largest value of each channel, also of the known ones of an earlier training.

        Raises InputError if one has the same value everywhere.
        """
        if not self.names:
            return {}
        given = torch.cat([run.given for run in runs if isinstance(run, DrivenOrbit) and run.given is not None])
        found = dict(zip(self.names, zip(given.amin(0).tolist(), given.amax(0).tolist(), strict=True), strict=True))
        for name, (low, high) in known.items():
            found[name] = min(low, found[name][0]), max(high, found[name][1])
        for name, (low, high) in found.items():
            if high - low <= max(_rounding(run) for run in runs) * max(abs(low), abs(high)):
                raise InputError(
                    f"{name} is {low:g} in all training orbits, so its effect cannot be learned: give orbits with different "
                    "values, or leave it out of parameters and inputs"
                )
        return found

    def arguments(self, run: Orbit) -> dict[str, Any]:
        """Return the given values of one of the `runs` as arguments of ``forecast``; nothing without channels."""
        if not isinstance(run, DrivenOrbit) or run.given is None:
            return {}
        columns = dict(zip(self.names, run.given.unbind(-1), strict=True))
        return {
            "parameters": {name: float(columns[name][0]) for name in self.parameters},
            "inputs": {name: (run.given_t, columns[name]) for name in self.inputs},
        }

    def arguments_of_all(self, runs: Sequence[Orbit], truth: Orbit) -> dict[str, Any]:
        """Return the given values of the `runs` as arguments of one ``forecast`` for all, at the times of ``truth``.

        Where these are later than a run, as shorter ones are filled up, its inputs keep their last values.
        """
        if not self.names:
            return {}
        each = [self.arguments(run)["parameters"] for run in runs]
        times = truth.t.expand(truth.shape)
        values = torch.stack([given_at(run, t.double()) for run, t in zip(runs, times, strict=True)])
        columns = dict(zip(self.names, values.unbind(-1), strict=True))
        return {
            "parameters": {name: torch.tensor([one[name] for one in each]).double() for name in self.parameters},
            "inputs": {name: (times, columns[name]) for name in self.inputs},
        }

    def _run(self, orbit: Orbit) -> list[Orbit]:
        states = [i for i, name in enumerate(orbit.coordinates) if name not in self.names]
        if not states:
            raise InputError(
                "every coordinate is named in parameters or inputs, so no state is left to forecast: leave one out of them"
            )
        measured = orbit.measured[:, states].any(-1).cpu()
        columns = [self._parameter(orbit, name) for name in self.parameters]
        columns += [self._input(orbit, name, measured) for name in self.inputs]
        given, t = torch.stack(columns, dim=-1), orbit.t.detach().cpu().double()
        known = given.isfinite().all(-1)
        if not self.inputs:
            known[1:] = False  # one value is enough for a constant
        kept = tuple(orbit.coordinates[i] for i in states)
        told = dict(orbit.provenance)
        if isinstance(told.get("parameters"), dict):  # others must still agree between the orbits
            told["parameters"] = {name: value for name, value in told["parameters"].items() if name not in self.names}
        if self.inputs:  # what drives a system is given
            told.pop("autonomous", None)
        run = DrivenOrbit(
            t=orbit.t,
            z=orbit.z[:, states],
            rate=None if orbit.rate is None else orbit.rate[:, states],
            coordinates=kept,
            provenance=told,
            periods={name: period for name, period in orbit.periods.items() if name in kept},
            units={name: unit for name, unit in orbit.units.items() if name in (*kept, "t")},
            given_t=t[known],
            given=given[known],
        )
        return list(run.separate())

    def _parameter(self, orbit: Orbit, name: str) -> Tensor:
        if name in orbit.coordinates:
            column = _column(orbit, name)
            known = column[column.isfinite()]
            if not len(known):
                raise InputError(f"the parameter {name} has no value in a run: give one value of it in each run")
            low, high = float(known.min()), float(known.max())
            if high - low > _rounding(orbit) * max(abs(low), abs(high)):
                raise InputError(
                    f"the parameter {name} varies from {low:g} to {high:g} within a run: name it in inputs instead, which may "
                    "depend on time"
                )
            return torch.full_like(column, low if low == high else float(known.median()))
        known = orbit.provenance.get("parameters", {})
        value = known.get(name) if isinstance(known, dict) else None
        if not isinstance(value, Real) or isinstance(value, bool):
            raise InputError(
                f"the parameter {name!r} is not a coordinate of the orbits ({', '.join(orbit.coordinates)}) and not a number "
                f'in their provenance["parameters"] ({", ".join(known) or "none"}): add it as a column'
            )
        return torch.full((orbit.shape[-1],), float(value), dtype=torch.float64)

    def _input(self, orbit: Orbit, name: str, measured: Tensor) -> Tensor:
        if name not in orbit.coordinates:
            raise InputError(f"the input {name!r} is not a coordinate of the orbits: they have {', '.join(orbit.coordinates)}")
        column = _column(orbit, name)
        if (missing := measured & ~column.isfinite()).any():
            raise InputError(
                f"the input {name} has no value at t = {float(orbit.t.cpu()[missing][0]):g}, but it must be known whenever "
                "the states are: fill it in, or leave out this time"
            )
        return column


def _rounding(orbit: Orbit) -> float:
    return ROUNDING * float(torch.finfo(orbit.z.dtype).eps)


def _column(orbit: Orbit, name: str) -> Tensor:
    return orbit.z[:, orbit.index(name)].detach().cpu().double()


def states_only(runs: Sequence[Orbit]) -> Orbit:
    """Return the states of some runs as a batch, which is filled up with NaN."""
    return Orbit.of([Orbit(run.t, run.z, coordinates=run.coordinates, periods=run.periods) for run in runs])


def started(runs: Sequence[Orbit]) -> list[Orbit]:
    """Return runs from the first time on at which all coordinates were measured, with at least two times.

    Raises InputError if there is no such run.
    """
    found = [one for run in runs for one in begun(run)]
    if not found:
        raise InputError(
            "a forecast starts from a time at which all coordinates were measured, but no orbit has one before its end: fill "
            "in missing values, or give longer orbits"
        )
    return found


def begun(run: Orbit) -> list[Orbit]:
    """Return the orbits of one run from the first time on at which all coordinates were measured, if there are two times."""
    if not run.z[..., 0, :].isnan().any():
        return [run]
    found = []
    for one in run.separate():
        whole = one.measured.all(-1).nonzero()[:, 0].tolist()
        if whole and whole[0] < one.shape[-1] - 1:
            found.append(one[whole[0] :])
    return found
