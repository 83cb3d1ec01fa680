"""Delays of a forecaster: its model sees a delay embedding of the coordinates that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from physlearn.forecasting.past import Past
from systems import InputError, Orbit
from systems.periodic import agreed_periods
from systems.recording.embedding import chosen_delays, delayed_names, embedded
from systems.scalars import real, whole

Given = bool | int | tuple[int, float] | None


@dataclass(frozen=True)
class Delays:
    """A delay embedding, whose dimension and lag are chosen from the training orbits where they are None.

    Parameters
    ----------
    dim : int, optional
        Number of values of each coordinate.
    lag : float, optional
        Time between them.
    coordinates : tuple of str
        The coordinates that are measured; empty before ``fit``.
    periods : mapping of str to float
        Periods of those that are angles.
    """

    dim: int | None = None
    lag: float | None = None
    coordinates: tuple[str, ...] = ()
    periods: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, given: Given) -> Delays | None:
        """Return the delays that the argument of a forecaster describes; None without delays. Raises InputError."""
        if given is None or given is False:
            return None
        if given is True:
            return cls()
        if isinstance(given, tuple | list):
            if len(given) != 2:
                raise InputError(f"delays must be a number, or a pair (number, lag), not {given!r:.80}")
            dim, lag = whole("the number of delays", given[0]), real("the lag", given[1])
        else:
            dim, lag = whole("delays", given), None
        if dim < 2 or (lag is not None and lag <= 0):
            raise InputError(f"delays must be at least 2 values of each coordinate, a positive time apart, not {given!r:.80}")
        return cls(dim, lag)

    def fitted(self, orbits: Sequence[Orbit]) -> Delays:
        """Return the delays that suit training orbits."""
        dim, lag = chosen_delays(orbits, self.dim, self.lag)
        periods = agreed_periods([one.periods for one in orbits])
        return Delays(max(dim, 2), lag, orbits[0].coordinates, tuple(periods.items()))

    def embedded(self, orbits: Sequence[Orbit]) -> list[Orbit]:
        """Return the embedded orbits. Raises InputError if none is long enough."""
        assert self.dim is not None
        assert self.lag is not None
        found = embedded(orbits, self.dim, self.lag)
        if not found:
            raise InputError(
                f"no orbit is longer than {self.span:.6g}, the time between the first and the last of {self.dim} delayed "
                "values: give longer orbits, or fewer delays"
            )
        return found

    def last(self, past: Orbit, center: torch.Tensor) -> tuple[Past, torch.Tensor]:
        """Return the embedded state at the end of each orbit, and the whole turns by which its angles were shifted.

        Angles at the end are then within half a period of ``center``, shape ``(D,)``, that of the training.
        """
        assert self.dim is not None
        assert self.lag is not None
        found = Past.recent(past, self.coordinates, self.lag, self.dim, "a forecast with these delays")
        z = found.z[..., -self.dim :, :].flip(-2)
        period = z.new_tensor([dict(self.periods).get(name, torch.inf) for name in self.coordinates])
        turns = torch.where(period.isfinite(), ((z[..., 0, :] - center.to(z)) / period).round() * period, 0.0)
        state = (z - turns.unsqueeze(-2)).flatten(-2).unsqueeze(-2)
        return Past(state.to(past.z), found.end), turns.to(past.z)

    def measured(self, orbit: Orbit, turns: torch.Tensor) -> Orbit:
        """Return the measured coordinates of a forecast."""
        n = len(self.coordinates)
        z = orbit.z[..., :n] + turns.unsqueeze(-2)
        return replace(orbit, z=z, coordinates=self.coordinates, periods=dict(self.periods))

    @property
    def span(self) -> float:
        """The time between the first and the last delayed value."""
        assert self.dim is not None
        assert self.lag is not None
        return (self.dim - 1) * self.lag

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the embedded coordinates."""
        assert self.dim is not None
        assert self.lag is not None
        return delayed_names(self.coordinates, self.dim, self.lag)
