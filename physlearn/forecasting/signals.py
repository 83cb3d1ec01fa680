"""Inputs as functions of time: given as functions, or by values that are interpolated linearly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit
from systems.floats import floats

ROUNDING = 1e-9  # of the times, relative to their size


@dataclass(frozen=True, eq=False)
class Signal:
    """An input as a function of time.

    Parameters
    ----------
    name : str
        Name of the input.
    function : callable, optional
        Maps a time, a number, to a number, or to one number per orbit. It may be a function of torch, which takes a tensor.
    t : shape ``(S,)`` or ``(n, S)``, optional
        Increasing times of the values, if there is no function.
    values : shape ``(S,)`` or ``(n, S)``, optional
        Values, or those for each of n orbits, between which the input is linear in time.
    orbits : int
        Number n of orbits.
    """

    name: str
    function: Callable[..., object] | None = None
    t: Tensor | None = None
    values: Tensor | None = None
    orbits: int = 1

    @classmethod
    def of(cls, name: str, given: object, t: Tensor | None, batch: torch.Size) -> Signal:
        """Return an input in any form that `Forecaster.forecast` takes.

        Parameters
        ----------
        name
            Name of the input.
        given
            A function of time, an Orbit, a pair (times, values), or values at the times t.
        t : shape ``(T,)`` or ``(..., T)``
            Output times of a forecast, or None.
        batch
            Shape of the batch of initial states.

        Raises
        ------
        InputError
            If shapes do not fit, or a value is not finite.
        """
        if isinstance(given, Orbit):
            return cls._tabulated(name, *_column(name, given), batch)
        if callable(given):
            return cls(name, function=given, orbits=batch.numel())
        if isinstance(given, tuple) and len(given) == 2 and all(getattr(x, "ndim", None) or _nested(x) for x in given):
            times, values = (floats(x, f"the input {name}") for x in given)
            return cls._tabulated(name, times, values, batch)
        values = floats(given, f"the input {name}")
        if t is None:
            raise InputError(f"the input {name} needs times: give a function of time, or a pair (times, values)")
        return cls._tabulated(name, t, values, batch)

    @classmethod
    def _tabulated(cls, name: str, t: Tensor, values: Tensor, batch: torch.Size) -> Signal:
        t, values = t.detach().cpu().double(), values.detach().cpu().double()
        if values.shape[-1:] != t.shape[-1:] or not values.ndim or not values.shape[-1]:
            raise InputError(
                f"the input {name} has values of shape {tuple(values.shape)} at times of shape {tuple(t.shape)}: give one "
                "value for each time"
            )
        if t.shape[-1] > 1 and bool((t[..., -1] < t[..., 0]).all()):
            t, values = t.flip(-1), values.flip(-1)
        for part in (t, values):
            if part.ndim > 1 and part.shape[:-1] != batch:
                raise InputError(
                    f"the input {name} is given for orbits of shape {tuple(part.shape[:-1])}, but the initial states have the "
                    f"shape {tuple(batch)}: give one row for each orbit, or one for all"
                )
        if not (t.isfinite().all() and (t.diff() > 0).all()):
            raise InputError(f"the times of the input {name} must be finite and strictly increasing or decreasing")
        if not values.isfinite().all():
            raise InputError(f"the input {name} has values that are not finite: fill them in")
        t, values = (part.reshape(-1, part.shape[-1]) if part.ndim > 1 else part for part in (t, values))
        return cls(name, t=t, values=values, orbits=batch.numel())

    def at(self, t: Tensor | float) -> Float[Tensor, "*orbits"]:
        """Return the value at a time, in float64, or one per orbit, ``(n,)``. Raises InputError where it is unknown."""
        now = torch.as_tensor(t, dtype=torch.float64).detach().cpu()
        if self.function is not None:
            try:
                found = self.function(float(now))
            except (TypeError, AttributeError):  # a function of torch
                found = self.function(now)
            value = floats(found, f"the input {self.name}").detach().cpu().double()
            if value.numel() != 1 and value.numel() != self.orbits:
                raise InputError(
                    f"the input {self.name} is a function that returns the shape {tuple(value.shape)}, but it must return one "
                    f"number, or one for each of the {self.orbits} orbits"
                )
            if not value.isfinite().all():
                raise InputError(
                    f"the input {self.name} is not finite at t = {float(now):g}: give a function that is defined "
                    "at all times of the forecast"
                )
            return value.reshape(()) if value.numel() == 1 else value.flatten()
        assert self.t is not None
        assert self.values is not None
        first, last = float(self.t[..., 0].min()), float(self.t[..., -1].max())
        slack = ROUNDING * (abs(first) + abs(last) + abs(float(now)))
        if not first - slack <= float(now) <= last + slack:
            raise InputError(
                f"the input {self.name} is needed at t = {float(now):g}, but it is given only from t = {first:g} to {last:g}: "
                "give it for the whole forecast"
            )
        if self.t.shape[-1] == 1:
            return self.values[..., 0]
        right = torch.searchsorted(self.t, now.expand(*self.t.shape[:-1], 1).contiguous()).clamp(1, self.t.shape[-1] - 1)
        (a, b), (x, y) = ([_picked(part, right + k) for k in (-1, 0)] for part in (self.t, self.values))
        return x + (y - x) * ((now - a) / (b - a)).clamp(0, 1)

    @property
    def may_differ(self) -> bool:
        """Whether the orbits may have different values."""
        return self.function is not None or any(part is not None and part.ndim > 1 for part in (self.t, self.values))

    def extremes(self, t: Tensor | None) -> tuple[float, float] | None:
        """Return the smallest and largest value, of a function at up to a thousand of the times t; None if unknown."""
        if self.values is not None:
            return float(self.values.min()), float(self.values.max())
        if t is None:
            return None
        times = t.detach().flatten().double()
        some = times[torch.linspace(0, len(times) - 1, min(len(times), 1000)).long()]
        found = torch.cat([self.at(now).reshape(-1) for now in some])
        return float(found.min()), float(found.max())


def _picked(values: Tensor, place: Tensor) -> Tensor:
    """Return the values at a place, ``()``, or at one for each row, ``(n,)``."""
    if values.ndim == 1:
        return values[place].squeeze(-1)
    return values.gather(-1, place.expand(len(values), 1)).squeeze(-1)


def _column(name: str, orbit: Orbit) -> tuple[Tensor, Tensor]:
    """Return the times and values of an input in an orbit; what shorter runs are filled up with is their last value."""
    if name not in orbit.coordinates and orbit.dim > 1:
        raise InputError(
            f"the orbit for the input {name} has the coordinates {', '.join(orbit.coordinates)}: rename one of them to {name}"
        )
    values = orbit.z[..., orbit.index(name) if name in orbit.coordinates else 0]
    known = values.isfinite()
    last = known.long().cumsum(-1).argmax(-1, keepdim=True)
    after = torch.arange(values.shape[-1], device=values.device) > last
    return orbit.t, torch.where(after, values.gather(-1, last), values)


def _nested(given: object) -> bool:
    return isinstance(given, list | tuple)
