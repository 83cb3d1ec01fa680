"""Forecasts that continue a measured past."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from physlearn.forecasting.delays import Delays
from physlearn.forecasting.given_values import GivenValues
from physlearn.forecasting.learned_flow import LearnedFlow
from physlearn.forecasting.past import LATE, Past
from physlearn.forecasting.remembered import continued
from physlearn.models.memory import MemoryModel
from systems import InputError, Orbit
from systems.maps import FunctionMap


class ContinuedFlow(LearnedFlow):
    """Base class of `Forecaster`: a trained model that continues a measured past.

    Parameters
    ----------
    name, dtype, device
        As in `LearnedFlow`.
    """

    def __init__(self, name: str, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(name, dtype, device)
        self.delays: Delays | None = None
        self.step: float | None = None  # median step of the training orbits; None before fit, or if the file has none

    def _continuation(self, values: GivenValues, past: Orbit, t: Tensor, method: str | None, **options: Any) -> Orbit:
        """Return the orbits that continue measured ones; see `Forecaster.forecast` and `_orbit`."""
        if self.memory:
            options = {"method": method, **options, "progress": None}
            if superfluous := [option for option, value in options.items() if value is not None]:
                raise InputError(f"the model {self.name} takes the steps of its training data: leave {superfluous[0]} out")
            inputs = self.channels.inputs if set(self.channels.inputs) <= set(past.coordinates) else ()
            step, what = float(self.model.units.time), f"the model {self.name}"
            recent = Past.recent(past, (*self.coordinates, *inputs), step, self.memory, what)
            about = {"name": self.name, "coordinates": self.coordinates, "periods": self.periods}
            orbit = continued(self.model, recent, t, values, self.channels, about)
            return replace(orbit, t=orbit.t.to(past.z.device), z=orbit.z.to(past.z))
        if self.delays is None or set(self.coordinates) <= set(past.coordinates):
            return self._from(Past.last(past, self.coordinates), values, t, method, **options)
        last, turns = self.delays.last(past, self.model.units.center[: len(self.delays.coordinates)])
        return self.delays.measured(self._from(last, values, t, method, **options), turns)

    def _from(self, last: Past, values: GivenValues, t: Tensor, method: str | None, **options: Any) -> Orbit:
        """Return the orbits from the last states of the past at the times t, which may begin later."""
        last.check_begin(t, forward=False)
        z0, end = last.z.squeeze(-2), last.end
        times = t.double().expand(*end.shape, t.shape[-1])
        punctual = (times[..., 0] - end).abs() <= LATE * end.abs()
        if bool(punctual.all()):
            return self._orbit(values, z0, t, method, **options)
        if not bool(punctual.any()) and t.ndim == 1 and bool((end == end.flatten()[0]).all()):
            return self._orbit(values, z0, torch.cat([end.flatten()[:1], t.double()]), method, **options)[..., 1:]
        # each orbit has one time more: the end of its past, or one between its first times
        then = times[..., 1] if t.shape[-1] > 1 else times[..., 0] + 1
        later = torch.cat([times[..., :1], (times[..., :1] + then.unsqueeze(-1)) / 2, times[..., 1:]], dim=-1)
        whole = torch.where(punctual.unsqueeze(-1), later, torch.cat([end.unsqueeze(-1), times], dim=-1))
        orbit = self._orbit(values, z0, whole, method, **options)
        kept = torch.arange(1, whole.shape[-1], device=whole.device).expand(times.shape).clone()
        kept[..., 0] -= punctual.long()
        z = orbit.z.gather(-2, kept.unsqueeze(-1).expand(*kept.shape, orbit.dim))
        return replace(orbit, t=times, z=z)

    def parted(self, orbits: Orbit) -> tuple[Orbit, Orbit]:
        """Return the past that a forecast of orbits needs, from their beginning, and the orbits from its end on.

        Parameters
        ----------
        orbits
            Orbits in which all coordinates were measured.

        Returns
        -------
        past, rest : Orbit
            The past, which ends where the rest begins. For a flow without delays, it has one state.

        Raises
        ------
        InputError
            Before ``fit``, or if the orbits are too short.
        """
        elapsed, needed = (orbits.t - orbits.t[..., :1]).abs(), self.past_length
        count = int((elapsed < needed * (1 - LATE)).sum(-1).max()) + 1
        if count >= orbits.shape[-1]:
            raise InputError(
                f"the model {self.name} needs a past of length {needed:.6g} and later times to forecast, but the orbits are "
                "not longer than that: give longer orbits"
            )
        return orbits[..., :count], orbits[..., count - 1 :]

    @property
    def memory(self) -> int:
        """The number of consecutive states that a forecast needs, at the steps of the training; 0 for a flow."""
        inner = self.model.inner
        return inner.memory if isinstance(inner, MemoryModel) else 0

    @property
    def past_length(self) -> float:
        """The time that the past of a forecast must span; 0 for a flow without delays."""
        return max(self.memory - 1, 0) * float(self.model.units.time) if self.delays is None else self.delays.span

    def as_map(self) -> FunctionMap:
        """Return the map from a state to the next one, for `physlearn.chaos`, of a model whose memory is one state.

        Returns
        -------
        FunctionMap
            The map, whose step is that of the training orbits.

        Raises
        ------
        InputError
            Before ``fit``, for a flow, for a longer memory, and for a model that depends on given values.
        """
        if self.memory != 1 or self.channels.names:
            what = "is a flow" if not self.memory else f"depends on {', '.join(self.channels.names) or 'several states'}"
            raise InputError(
                f"the model {self.name} {what}, so it is no map of a state: use next-generation-reservoir with delays=1"
            )
        inner, units = cast(MemoryModel, self.model.inner), self.model.units

        def step(z: Tensor) -> Tensor:
            u = ((z.double() - units.center) / units.scale).reshape(-1, 1, units.dim)
            return (inner.continued(u, 1)[:, 0] * units.scale + units.center).reshape(z.shape).to(z.dtype)

        return FunctionMap(step, self.coordinates, self.periods)
