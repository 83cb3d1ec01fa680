"""The equations of a periodic orbit by multiple shooting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.periodic_orbits.near_return import spread
from physlearn.chaos.periodic_orbits.shooting import Ends, Shooter
from systems import IntegrationError

SEGMENTS, MOST_SEGMENTS = 8, 256
LARGEST_GROWTH, LARGEST_DECAY = 1e2, 1e-6  # of a scaled deviation in one segment; segments are halved until they are within
FARTHEST = 5.0  # ratio of a period to the first guess
SAMPLES = 500  # states of an orbit
SLOPE = 1e-6  # step of numerical derivatives


@dataclass(frozen=True)
class ClosedLoop:
    """The conditions that segments of equal duration join to a closed orbit, possibly of a given energy or period.

    The unknowns are the states at the start of each segment, in units of ``size``, and the period in units of ``unit`` unless
    it is fixed.

    Parameters
    ----------
    shooter
        The flow.
    size : shape ``(D,)``
        Spread of each coordinate.
    turns : shape ``(D,)``
        What the coordinates gain in a period: whole turns of angles, and otherwise zero.
    unit
        Unit of the period.
    period
        The period if it is fixed.
    energy
        The energy if it is fixed.
    segments
        Number of segments.
    """

    shooter: Shooter
    size: Float[Tensor, " D"]
    turns: Float[Tensor, " D"]
    unit: float
    period: float | None = None
    energy: float | None = None
    segments: int = SEGMENTS

    @classmethod
    def of(cls, shooter: Shooter, z: Float[Tensor, " D"], period: float) -> tuple[ClosedLoop, Float[Tensor, " n"]]:
        """Return the equations near the orbit of a state and the first guess, with as many segments as the growth needs."""
        since = torch.linspace(0, period, SAMPLES + 1, dtype=torch.float64)
        path = shooter.along(z[None], z.new_zeros(1), since)[0]
        turning = z.new_tensor(shooter.rollout.turning)
        turns = torch.where(turning.isfinite(), ((path[-1] - path[0]) / turning).round() * turning, 0.0)
        size = spread(shooter, path, period, path - turns * torch.linspace(0, 1, len(path), dtype=z.dtype)[:, None])
        loop = cls(shooter, size, turns, period)
        while loop.segments < MOST_SEGMENTS and loop.too_long(loop.states_from(z, period), period):
            loop = replace(loop, segments=2 * loop.segments)
        return loop, loop.packed(loop.states_from(z, period), period)

    @property
    def free(self) -> bool:
        """Whether the period is unknown."""
        return self.period is None

    def states_from(self, z: Float[Tensor, " D"], period: float) -> Float[Tensor, "S D"]:
        """Return the states at the start of the segments of the orbit from z."""
        since = torch.arange(self.segments + 1, dtype=torch.float64) * (period / self.segments)
        return self.shooter.along(z[None], z.new_zeros(1), since)[0, :-1]

    def starts(self, period: float) -> Float[Tensor, " S"]:
        """Return the times at the start of the segments."""
        return torch.arange(self.segments, dtype=torch.float64) * (period / self.segments)

    def carried(self, states: Float[Tensor, "S D"], period: float) -> Ends:
        """Return the states at the end of the segments, and the tangent maps."""
        return self.shooter.carried(states, self.starts(period), period / self.segments)

    def too_long(self, states: Float[Tensor, "S D"], period: float) -> bool:
        """Return whether deviations grow or shrink too much in one of the segments."""
        sizes = torch.linalg.svdvals(self.carried(states, period)[1] / self.size[:, None] * self.size)
        return float(sizes.max()) > LARGEST_GROWTH or float(sizes.min()) < LARGEST_DECAY

    def packed(self, states: Float[Tensor, "S D"], period: float) -> Float[Tensor, " n"]:
        """Return the unknowns."""
        x = (states / self.size).flatten()
        return torch.cat([x, x.new_tensor([period / self.unit])]) if self.free else x

    def unpacked(self, x: Float[Tensor, " n"]) -> tuple[Float[Tensor, "S D"], float]:
        """Return the states at the start of the segments, and the period."""
        states = x[: self.segments * len(self.size)].reshape(self.segments, -1) * self.size
        return states, float(x[self.segments * len(self.size)]) * self.unit if self.period is None else self.period

    def __call__(self, x: Float[Tensor, " n"]) -> tuple[Float[Tensor, " m"], Float[Tensor, "m n"]]:
        """Return the mismatches, in units of the size, and their derivative."""
        states, period = self.unpacked(x)
        if not self.unit / FARTHEST < period < self.unit * FARTHEST:
            raise IntegrationError(f"the period {period:.3g} is too far from the first guess {self.unit:.3g}")
        ends, maps = self.carried(states, period)
        dim, count = len(self.size), self.segments
        slope = x.new_zeros(count * dim, len(x))
        for segment in range(count):
            rows, following = slice(segment * dim, (segment + 1) * dim), (segment + 1) % count
            slope[rows, segment * dim : (segment + 1) * dim] += maps[segment] / self.size[:, None] * self.size
            slope[rows, following * dim : (following + 1) * dim] -= torch.eye(dim, dtype=x.dtype)
        if self.free:
            rates = self.shooter.rates(self.starts(period) + period / count, ends) / self.size
            slope[:, count * dim] = rates.flatten() * (self.unit / count)
        value = self.gaps(states, ends).flatten()
        if self.energy is None:
            return value, slope
        level, gradient = self.levels(states[0])
        size = float(gradient.norm())
        row = torch.nn.functional.pad(gradient / size, (0, len(x) - dim))
        return torch.cat([value, value.new_tensor([(level - self.energy) / size])]), torch.cat([slope, row[None]])

    def gaps(self, states: Float[Tensor, "S D"], ends: Float[Tensor, "S D"]) -> Float[Tensor, "S D"]:
        """Return the difference between the end of each segment and the start of the next, in units of the size."""
        following = states.roll(-1, 0)
        following[-1] += self.turns
        return (ends - following) / self.size

    def levels(self, z: Float[Tensor, " D"]) -> tuple[float, Float[Tensor, " D"]]:
        """Return the energy of a state, and its derivative by the state in units of the size."""
        energy = self.shooter.flow.hamiltonian
        assert energy is not None
        moved = SLOPE * torch.diag(self.size)
        both = energy(torch.cat([z + moved, z - moved]))
        return float(energy(z)), (both[: len(z)] - both[len(z) :]) / (2 * SLOPE)

    def conserves(self, x: Float[Tensor, " n"]) -> bool:
        """Return whether the flow has an energy, and conserves it along the orbit."""
        if self.shooter.flow.hamiltonian is None or self.shooter.driven:
            return False
        states, period = self.unpacked(x)
        levels = self.shooter.flow.hamiltonian(self.states_from(states[0], period))
        return bool((levels - levels[0]).abs().max() <= 1e-8 * self.levels(states[0])[1].norm())

    def orbit(self, x: Float[Tensor, " n"]) -> tuple[Float[Tensor, " T"], Float[Tensor, "T D"]]:
        """Return times and states along the closed orbit, each segment from its own start."""
        states, period = self.unpacked(x)
        each = -(-SAMPLES // self.segments)
        since = torch.linspace(0, period / self.segments, each + 1, dtype=torch.float64)
        path = self.shooter.along(states, self.starts(period), since)
        t = torch.linspace(0, period, each * self.segments + 1, dtype=torch.float64)
        return t, torch.cat([path[:, :-1].flatten(0, 1), states[:1] + self.turns])
