"""Models with memory: their training on runs at equal steps, and the forecasts with which they continue a past."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, Final, cast

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.forecasting.channels import Channels
from physlearn.forecasting.fitting import Effort, Learned, Task
from physlearn.forecasting.given_values import GivenValues
from physlearn.forecasting.past import Past
from physlearn.forecasting.smoothed import Measured
from physlearn.forecasting.state_losses import Choice
from physlearn.models.memory import MemoryModel, Stretch
from physlearn.models.physical import PhysicalModel
from physlearn.models.scaling import spread
from physlearn.models.units import Units
from physlearn.training.driven import given_at, with_given
from physlearn.training.pairs import check_one_system, check_squares
from systems import InputError, Orbit
from systems.periodic import agreed_periods
from systems.recording.even_steps import JITTER, common_step, even_stretches
from systems.recording.unwrapping import continuous
from systems.size import check_memory

INCREMENT: Final = "increment"  # the loss: what a step adds to the state
HELD_OUT = 5  # of so many runs, or parts of a run, one is held out if there are no validation orbits
STENCIL = 6  # states between which a forecast is interpolated
ON_THE_GRID = 1e-6  # of a step


def remember(channels: Channels, task: Task, seen: Measured, held: Measured | None, effort: Effort) -> Learned:
    """Train models with memory on orbits with the given values of some channels.

    See `physlearn.forecasting.fitting.learn` for the other arguments.
    """
    name, constant = task.name, len(channels.parameters)
    if effort.loss not in (None, INCREMENT):
        raise InputError(
            f"the model {name} learns the increments of its steps, so it cannot be trained with loss={effort.loss!r}: leave "
            "loss out"
        )
    if task.prior:
        raise InputError(f"the model {name} is no vector field: leave known and symmetry out, or use a model such as nn")
    listed = [*seen.orbits, *([] if held is None else held.orbits)]
    coordinates = listed[0].coordinates
    if any(one.coordinates != coordinates for one in listed):
        raise InputError("all orbits need the same coordinates, in the same order, for training and validation")
    check_one_system(listed)
    check_squares(*(with_given(one).double() for one in listed))
    periods = agreed_periods([one.periods for one in listed])
    what = f"the model {name}"
    step = common_step(seen.orbits, what)
    if held is not None and (other := common_step(held.orbits, what)) > step * (1 + JITTER):
        raise InputError(
            f"the validation orbits have steps of {other:.6g}, but {what} learns steps of {step:.6g}: use the same steps"
        )
    runs = [continuous(one) for one in even_stretches(seen.orbits, step, what)]
    others = None if held is None else [continuous(one) for one in even_stretches(held.orbits, step, what)]
    units = _units(runs, step, len(coordinates))
    stretches = [_stretch(one, units, constant) for one in runs]
    known, left_out = _split(stretches) if others is None else (stretches, [_stretch(one, units, constant) for one in others])
    models, why = [], ""
    for k in range(effort.members):
        model = cast(MemoryModel, task.build(coordinates, periods, units, effort.seed + k))
        told = model.choose(known, left_out, progress=effort.progress)
        model.learn(stretches)
        models.append(PhysicalModel(model, units))
        why = why or told
    return Learned(models, pd.DataFrame(), coordinates, periods, Choice(INCREMENT, why))


def continued(
    model: PhysicalModel,
    past: Past,
    t: Float[Tensor, "*times T"],
    values: GivenValues,
    channels: Channels,
    about: dict[str, Any],
) -> Orbit:
    """Return the orbits with which a model continues a past.

    Parameters
    ----------
    model
        A model with memory, in the units of the data.
    past
        States at the steps of the model, followed by inputs if these are known.
    t : shape ``(T,)`` or ``(..., T)``
        Output times.
    values
        Given values.
    channels
        Their names.
    about
        Name, coordinates and periods of the forecast.
    """
    inner, units = cast(MemoryModel, model.inner), model.units
    step, dim, batch = float(units.time), units.dim, past.end.shape
    past.check_begin(t)
    z, end = past.z.double().cpu().reshape(-1, *past.z.shape[-2:]), past.end.reshape(-1).cpu()
    times = t.detach().double().cpu()
    place = (times.expand(*batch, times.shape[-1]).reshape(-1, times.shape[-1]) - end.unsqueeze(-1)) / step
    further = STENCIL // 2 if values.constant else 0  # inputs are not known later than the last output
    steps = max(1, ceil(float(place.max()) - ON_THE_GRID) + further) if place.numel() else 1
    check_memory(len(z) * (z.shape[1] + steps) * z.shape[2], "the forecasts at the steps of the model")
    turns = model.turns(z[:, -1, :dim], about["periods"], about["coordinates"]).unsqueeze(1)
    u = (z[..., :dim] - turns - units.center[:dim]) / units.scale[:dim]
    given = _given_along(z[..., dim:], end, steps, step, float(times.max()), values, channels)
    if given.shape[-1]:
        given = _per_step((given - units.center[dim:]) / units.scale[dim:], len(channels.parameters))
    whole = torch.cat([u, inner.continued(u, steps, given)], dim=1)
    found = _between(whole, place + (u.shape[1] - 1)) * units.scale[:dim] + units.center[:dim] + turns
    between = bool(((place - place.round()).abs() > ON_THE_GRID).any())
    told = {"name": "steps of the model", "dt": step, "between steps": "interpolated by polynomials" if between else "nothing"}
    return Orbit(
        t=times,
        z=found.reshape(*batch, times.shape[-1], dim),
        coordinates=about["coordinates"],
        provenance={"flow": about["name"], "integrator": told},
        periods=about["periods"],
    )


def _units(runs: Sequence[Orbit], step: float, dim: int) -> Units:
    """Return the mean and the spread of each coordinate and given value, with the step as the unit of time."""
    z = torch.cat([torch.cat([one.z, given_at(one, one.t)], dim=-1) for one in runs])
    zero, one = torch.zeros(dim, dtype=torch.float64), torch.ones(dim, dtype=torch.float64)
    return Units(z.mean(0), spread(z)[0], torch.tensor(step, dtype=torch.float64), zero, one)


def _stretch(run: Orbit, units: Units, constant: int) -> Stretch:
    """Return a run in the units of the model, of whose given values the first are constant."""
    dim, given = run.dim, given_at(run, run.t)
    z = (run.z - units.center[:dim]) / units.scale[:dim]
    return Stretch(z, _per_step((given - units.center[dim:]) / units.scale[dim:], constant))


def _per_step(given: Float[Tensor, "*n T k"], constant: int) -> Float[Tensor, "*n S m"]:
    """Return what is given for each step: constants, and inputs at its beginning and its end."""
    inputs = given[..., constant:]
    return torch.cat([given[..., :-1, :constant], inputs[..., :-1, :], inputs[..., 1:, :]], dim=-1)


def given_per_step(channels: Channels) -> int:
    """Return the number of values that are given for each step: parameters, and inputs at its beginning and its end."""
    return len(channels.parameters) + 2 * len(channels.inputs)


def _split(runs: list[Stretch]) -> tuple[list[Stretch], list[Stretch]]:
    """Return the runs without every fifth, and these; or the beginnings and the last fifths of fewer runs."""
    if len(runs) >= HELD_OUT:
        return [one for i, one in enumerate(runs) if i % HELD_OUT], runs[::HELD_OUT]
    ends = [len(one.z) - len(one.z) // HELD_OUT for one in runs]
    first = [Stretch(one.z[:end], one.given[: end - 1]) for one, end in zip(runs, ends, strict=True)]
    return first, [Stretch(one.z[end:], one.given[end:]) for one, end in zip(runs, ends, strict=True)]


def _given_along(
    measured: Float[Tensor, "n M i"],
    end: Float[Tensor, " n"],
    steps: int,
    step: float,
    last: float,
    values: GivenValues,
    channels: Channels,
) -> Float[Tensor, "n S k"]:
    """Return the given values at each step of the past and of the forecast; inputs in the past may have been measured."""
    n, past = measured.shape[:2]
    if not channels.names or not n:
        return measured.new_zeros(n, past + steps, 0)
    carried = values.carried.reshape(n, -1)
    parts = [slice(0, n)] if len(end.unique()) == 1 else [slice(k, k + 1) for k in range(n)]  # orbits that end together
    first = 0 if measured.shape[-1] else 1 - past
    found = torch.stack(
        [
            torch.cat([values.at(min(float(end[part][0]) + i * step, last), carried[part]) for part in parts])
            for i in range(first, steps + 1)
        ],
        dim=1,
    )
    if not measured.shape[-1]:
        return found
    constant = found[:, :1, : len(channels.parameters)].expand(-1, past, -1)
    return torch.cat([torch.cat([constant, measured], dim=-1), found[:, 1:]], dim=1)


def _between(states: Float[Tensor, "n S D"], place: Float[Tensor, "n T"]) -> Float[Tensor, "n T D"]:
    """Return states between those of a grid, by polynomials through the six around; ``place`` counts from the first."""
    size = min(STENCIL, states.shape[1])
    nearest = place.round()
    first = (place.floor().long() - (size // 2 - 1)).clamp(0, states.shape[1] - size)
    picked = first.unsqueeze(-1) + torch.arange(size)
    rows = torch.arange(len(states)).reshape(-1, 1, 1)
    at = place.unsqueeze(-1) - picked
    weights = torch.stack(
        [
            torch.stack([at[..., j] / (j - i) * -1 if j != i else torch.ones_like(place) for j in range(size)]).prod(0)
            for i in range(size)
        ],
        dim=-1,
    )
    between = (weights.unsqueeze(-1) * states[rows, picked]).sum(-2)
    exact = states[rows[..., 0], nearest.long().clamp(0, states.shape[1] - 1)]
    return torch.where(((place - nearest).abs() <= ON_THE_GRID).unsqueeze(-1), exact, between)
