"""Measured states with less noise: those that a learned flow passes through near the measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.interpolate import CubicHermiteSpline
from torch import Tensor

from physlearn.forecasting.past import row, selected
from physlearn.forecasting.smoothed import Measured, Smoothed
from physlearn.models.informed import InUnits, all_moving
from physlearn.training.flow_smoother import Chain, smooth_along
from physlearn.training.state_losses import StepLoss
from physlearn.training.windows import Windows
from systems import InputError, Orbit
from systems.floats import floats
from systems.orbit import Index
from systems.recording.smoothing import GAP as PAUSE
from systems.recording.velocities import sources_of

if TYPE_CHECKING:
    from physlearn.forecasting.learned_flow import LearnedFlow

LONGEST = 0.6  # longest step between nodes, in units of the time scale
DIFFERENCE = 1e-7  # by which derivatives are estimated, in units in which states are of order one
AT_ONCE = 10_000  # steps whose derivatives are computed together

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class DenoisedOrbit(Orbit):
    """Estimated true states of measured orbits, with their standard errors.

    Parameters
    ----------
    t, z, rate, coordinates, provenance, periods, units
        As in `systems.Orbit`. ``provenance["denoised"]`` has the estimated ``noise`` of each coordinate, and
        ``model_error``, the standard deviation of the error of the flow from one measured state to the next, in units of the
        noise.
    errors : shape ``(..., T, D)``
        Standard errors of the states.
    """

    errors: Float[Tensor, "*batch T D"] | None = None

    def __getitem__(self, index: Index | tuple[Index, ...]) -> DenoisedOrbit:
        """Return some of the orbits or times, with their errors."""
        assert self.errors is not None
        chosen: Any = super().__getitem__(index)
        return replace(chosen, errors=Orbit(self.t, self.errors)[index].z)


def denoised(
    flow: LearnedFlow, orbits: Orbit | Sequence[Orbit], t: Float[Tensor, " T"] | None = None
) -> DenoisedOrbit | list[DenoisedOrbit]:
    """Return the states that a learned flow passes through near measured ones; see `Forecaster.denoised`."""
    listed = Measured.of(orbits).orbits
    given = [row(one, i) for one in listed for i in range(one.shape[:-1].numel())]
    if not given:
        raise InputError("there is no orbit to denoise: give at least one")
    smooth = Smoothed.of([_run(flow, one) for one in given])
    if len(smooth.measured) > len(given):
        raise InputError(
            f"an orbit has a pause of more than {PAUSE} median steps, across which its states do not tell of each other: give "
            "the parts before and after it as two orbits"
        )
    wanted = [_wanted(measured, one, t) for measured, one in zip(smooth.measured, given, strict=True)]
    nodes = _Nodes.of(flow, smooth, [times for times, _ in wanted])
    found = smooth_along(nodes.chain(), nodes.start, nodes.noise)
    noise = (found.noise * nodes.scale).tolist()
    told = {"model": flow.name, "noise": dict(zip(flow.coordinates, noise, strict=True)), "model_error": found.strength}
    z, errors = found.z * nodes.scale + nodes.origin, found.errors * nodes.scale
    results, place = [], 0
    for one in listed:
        count = one.shape[:-1].numel()
        rows = [nodes.taken(k, z, errors, *wanted[k]) for k in range(place, place + count)]
        place += count
        times = torch.stack([part[0] for part in rows])
        values, deviations = (torch.stack([part[i] for part in rows]).to(one.z) for i in (1, 2))
        shape = (*one.shape[:-1], *values.shape[1:])
        shared = one.shared_times if t is None else True
        results.append(
            DenoisedOrbit(
                times[0].to(one.t) if shared else times.reshape(shape[:-1]).to(one.t),
                values.reshape(shape),
                coordinates=flow.coordinates,
                provenance={**one.provenance, "denoised": told},
                periods=flow.periods,
                units={name: unit for name, unit in one.units.items() if name in ("t", *flow.coordinates)},
                errors=deviations.reshape(shape),
            )
        )
    return results[0] if isinstance(orbits, Orbit) else results


def _run(flow: LearnedFlow, orbit: Orbit) -> Orbit:
    """Return a single run in the coordinates of the flow, with the given values. Raises InputError if it cannot be used."""
    runs = flow.channels.runs(orbit) if flow.channels.names else [selected(orbit, flow.coordinates)]
    few = "to denoise an orbit, each of its coordinates must have been measured twice at least"
    if not runs or runs[0].coordinates != flow.coordinates:
        raise InputError(f"{few}, and the forecaster has the coordinates {', '.join(flow.coordinates)}")
    for i in set(range(len(flow.coordinates))) - set(sources_of(runs[0])):
        if (count := int(runs[0].measured[:, i].sum())) < 2:
            raise InputError(f"{few}, but {flow.coordinates[i]} was measured {count} times in one: leave this orbit out")
    return runs[0]


def _wanted(measured: Orbit, given: Orbit, t: Float[Tensor, " T"] | None) -> tuple[Array, Array]:
    """Return all output times of a run, and which of them are within the measured times."""
    first, last = (float(x) for x in measured.t.aminmax())
    if t is None:
        times = given.t.detach().cpu().double().numpy()
        return times, (times >= first) & (times <= last)
    times = floats(t, "times").detach().cpu().double().numpy()
    if times.ndim != 1 or not len(times) or not (times.min() >= first and times.max() <= last):
        raise InputError(
            f"t must be a list of times within those of each orbit, such as {first:g} to {last:g}: forecast the rest, as by "
            "f.forecast(f.denoised(orbits), t)"
        )
    return times, np.ones(len(times), bool)


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The times at which states are estimated, in the units of the model: those of the data and of the output, and others.

    Parameters
    ----------
    times : list of array
        The times of each run, increasing.
    loss : StepLoss
        The steps of the flow from each time to the next.
    start, y : shape ``(N, D)``
        States of smoothing splines, and measured values, at the times of all runs.
    noise, scale : shape ``(D,)``
        The first guess of the noise, and the units of the coordinates.
    origin : shape ``(N, D)``
        The origin of the units, with the whole turns by which angles of each run were shifted.
    step : float
        Median time between measured states.
    """

    times: list[Array]
    loss: StepLoss
    start: Array
    y: Array
    noise: Array
    scale: Array
    origin: Array
    step: float

    @classmethod
    def of(cls, flow: LearnedFlow, smooth: Smoothed, wanted: Sequence[Array]) -> _Nodes:
        """Return the nodes for smoothed runs with some output times."""
        model = flow.model.copied_to(torch.device("cpu"), torch.float64)
        units = model.units
        scale, center = units.scale[: units.dim].numpy(), units.center[: units.dim]
        longest, times, start, y, origin = LONGEST * float(units.time), [], [], [], []
        for run, seen, output in zip(smooth.orbits, smooth.measured, wanted, strict=True):
            order = seen.t.argsort()
            at, z, rate, values = (x[order].numpy() for x in (seen.t, run.z, run.rate, seen.z))  # type: ignore[index]
            inside = output[(output >= at[0]) & (output <= at[-1])]
            own = _divided(np.union1d(at, inside), longest)
            first = z[np.isfinite(z).argmax(0), np.arange(z.shape[1])]
            turns = (center + model.turns(torch.from_numpy(first), flow.periods, flow.coordinates)).numpy()
            measured = np.full((len(own), units.dim), np.nan)
            measured[np.searchsorted(own, at)] = values
            times.append(own)
            guessed = [_guessed(at, x, slope, own) for x, slope in zip(z.T, rate.T, strict=True)]
            start.append((np.stack(guessed, axis=-1) - turns) / scale)
            y.append((measured - turns) / scale)
            origin.append(np.broadcast_to(turns, measured.shape))
        noise = np.where(np.isfinite(smooth.noise) & (smooth.noise > 0), smooth.noise, np.inf) / scale
        noise = np.where(np.isfinite(noise), noise, noise[np.isfinite(noise)].mean() if np.isfinite(noise).any() else 1.0)
        windows = Windows(
            torch.from_numpy(np.concatenate([np.stack([own[:-1], own[1:]], 1) for own in times])),
            torch.from_numpy(np.concatenate([np.stack([z[:-1], z[1:]], 1) for z in start]) * scale) + center,
            torch.ones(sum(len(own) - 1 for own in times), 2, units.dim, dtype=torch.bool),
            torch.zeros(sum(len(own) - 1 for own in times), dtype=torch.int64),
            tuple(smooth.measured),
            torch.from_numpy(np.repeat(np.arange(len(times)), [len(own) - 1 for own in times])),
        )
        loss = StepLoss(InUnits(model), all_moving(units), windows)
        step = float(np.median(np.concatenate([np.abs(np.diff(one.t.numpy())) for one in smooth.measured])))
        stacked = [np.concatenate(one) for one in (start, y, origin)]
        return cls(times, loss, stacked[0], stacked[1], noise, scale, stacked[2], step)

    def chain(self) -> Chain:
        """Return the measured states and the steps between them."""
        ends = np.cumsum([len(own) for own in self.times])
        links = np.setdiff1d(np.arange(ends[-1]), ends - 1)
        lengths = np.concatenate([np.diff(own) for own in self.times]) / self.step
        return Chain(self.stepped, np.arange(len(links)), links, lengths, self.y)

    def stepped(self, z: Float[Array, "m D"], rows: Int[Array, " m"]) -> tuple[Float[Array, "m D"], Float[Array, "m D D"]]:
        """Return the states at the ends of some steps, and their derivatives by those at the beginnings."""
        dim = z.shape[1]
        shifts = DIFFERENCE * torch.cat([torch.zeros(1, dim), torch.eye(dim)]).double()
        after, slope = np.empty_like(z), np.empty((*z.shape, dim))
        for begin in range(0, len(z), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            moved = torch.from_numpy(z[some]) + shifts.unsqueeze(1)
            steps = torch.from_numpy(rows[some]).repeat(len(shifts))
            found = self.loss.stepped(moved.flatten(0, 1), steps, 0).reshape(moved.shape).numpy()
            after[some] = found[0]
            slope[some] = ((found[1:] - found[0]) / DIFFERENCE).transpose(1, 2, 0)
        return after, slope

    def taken(self, run: int, z: Array, errors: Array, t: Array, inside: Array) -> tuple[Tensor, Tensor, Tensor]:
        """Return the times, states and errors of a run at its output times; NaN before and after its measured states."""
        begin, own = sum(len(times) for times in self.times[:run]), self.times[run]
        places = begin + np.searchsorted(own, t[inside])
        found = []
        for values in (z, errors):
            whole = np.full((len(t), z.shape[1]), np.nan)
            whole[inside] = values[places]
            found.append(torch.from_numpy(whole))
        return torch.from_numpy(t), found[0], found[1]


def _guessed(t: Array, x: Array, rate: Array, at: Array) -> Array:
    """Return a coordinate at some times; it is linear in gaps, and constant before and after what was measured."""
    known = np.isfinite(x) & np.isfinite(rate)
    gaps = np.interp(at, t, known) < 1
    t, x, rate = t[known], x[known], rate[known]
    return np.where(gaps, np.interp(at, t, x), CubicHermiteSpline(t, x, rate)(at.clip(t[0], t[-1])))


def _divided(t: Array, longest: float) -> Array:
    """Return increasing times, with others in equal parts of steps that are longer than this."""
    parts = np.maximum(1, np.ceil(np.diff(t) / longest - 1e-9)).astype(int)
    inner = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(t[:-1], t[1:], parts, strict=True)]
    return np.concatenate([*inner, t[-1:]])
