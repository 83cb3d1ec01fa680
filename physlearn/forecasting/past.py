"""A measured past that a forecast continues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from systems import InputError, Orbit
from systems.recording.even_steps import even_stretches
from systems.recording.unwrapping import continuous

LATE = 1e-6  # of the length of a past, by which a forecast may begin before its end


@dataclass(frozen=True)
class Past:
    """The ends of measured orbits.

    Parameters
    ----------
    z : shape ``(..., M, D)``
        States before and at the end.
    end : shape ``(...)``, float64
        Time of the last state.
    """

    z: Float[Tensor, "*batch M D"]
    end: Float[Tensor, "*batch"]

    @classmethod
    def last(cls, past: Orbit, columns: Sequence[str]) -> Past:
        """Return the last state of each orbit in which all columns were measured, as M = 1.

        Raises InputError if a column is missing, or an orbit has no such state.
        """
        chosen = selected(past, columns)
        known = chosen.measured.all(-1)
        if not known.any(-1).all():
            raise InputError("an orbit of the past has no time at which all coordinates were measured: leave it out")
        place = _last(known)
        times = chosen.t.expand(chosen.shape).gather(-1, place).squeeze(-1)
        return cls(chosen.z.gather(-2, place.unsqueeze(-1).expand(*place.shape, chosen.dim)), times.detach().double())

    @classmethod
    def recent(cls, past: Orbit, columns: Sequence[str], step: float, least: int, what: str) -> Past:
        """Return the last stretch at equal steps of each orbit, all as long as the shortest, with continuous angles.

        Parameters
        ----------
        past
            Orbits.
        columns
            Names of the columns to take.
        step
            The step.
        least
            Number of states that are needed.
        what
            What needs this past, for messages.

        Raises
        ------
        InputError
            If a column is missing, if steps are not equal, or if a stretch is too short.
        """
        chosen = selected(past, columns)
        ends = []
        for i in range(chosen.shape[:-1].numel()):
            found = even_stretches([row(chosen, i)], step, what)
            if not found or len(found[-1].t) < least:
                raise InputError(
                    f"{what} needs a past of at least {least} consecutive states at steps of {step:.6g}, but there "
                    f"{'are ' + str(len(found[-1].t)) if found else 'is none'}: give a longer past"
                )
            ends.append(found[-1])
        if not ends:
            return cls(chosen.z.new_zeros(*chosen.shape[:-1], least, chosen.dim), chosen.t.new_zeros(chosen.shape[:-1]))
        length = min(len(one.t) for one in ends)
        z = torch.stack([continuous(one).z[-length:] for one in ends]).reshape(*chosen.shape[:-1], length, chosen.dim)
        return cls(z, torch.stack([one.t[-1] for one in ends]).reshape(chosen.shape[:-1]))

    def check_begin(self, t: Float[Tensor, "*times T"], forward: bool = True) -> None:
        """Raise InputError if a forecast at the times t would begin before the end of the past."""
        first = t[..., 0].detach().double().cpu()
        last = t[..., -1].detach().double().cpu()
        end = self.end.cpu()
        backward = (last < first) & torch.tensor(not forward)
        early = torch.where(backward, first - end, end - first)
        slack = LATE * ((last - first).abs() + end.abs())
        if (early > slack).any():
            which = int((early - slack).flatten().argmax())
            told = float(first.expand(end.shape).flatten()[which]), float(end.flatten()[which])
            raise InputError(
                f"the past ends at t = {told[1]:g}, but the forecast begins at t = {told[0]:g}: give times from {told[1]:g} on"
            )
        if forward and (last < first).any():
            raise InputError("a model with memory forecasts forward in time only: give increasing times")


def last_time(past: Orbit, columns: Sequence[str]) -> Float[Tensor, "*batch"]:
    """Return the last time of each orbit at which those of its coordinates that are among the columns were measured."""
    places = [i for i, name in enumerate(past.coordinates) if name in columns]
    known = past.measured[..., places or slice(None)].all(-1)
    return past.t.expand(past.shape).gather(-1, _last(known).clamp(min=0)).squeeze(-1)


def selected(past: Orbit, columns: Sequence[str]) -> Orbit:
    """Return some coordinates of an orbit, without rates. Raises InputError if one is missing."""
    if missing := [name for name in columns if name not in past.coordinates]:
        raise InputError(
            f"the orbit has the coordinates {', '.join(past.coordinates)}, but the forecaster needs {missing[0]!r} as well"
        )
    if tuple(columns) == past.coordinates:
        return replace(past, rate=None)
    return Orbit(
        past.t,
        past.z[..., [past.index(name) for name in columns]],
        coordinates=tuple(columns),
        provenance=past.provenance,
        periods={name: period for name, period in past.periods.items() if name in columns},
    )


def _last(known: Bool[Tensor, "*batch T"]) -> Int[Tensor, "*batch 1"]:
    """Return the last place that is True of each row, or -1."""
    return torch.where(known, torch.arange(known.shape[-1], device=known.device), -1).amax(-1, keepdim=True)


def row(orbits: Orbit, i: int) -> Orbit:
    """Return the states of one orbit of a batch, by its flat index, without rates."""
    t = orbits.t if orbits.shared_times else orbits.t.flatten(0, -2)[i]
    return replace(orbits, t=t, z=orbits.z.reshape(-1, *orbits.z.shape[-2:])[i], rate=None)
