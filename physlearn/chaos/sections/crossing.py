"""Find where integration steps cross a surface, including several crossings within one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.integrators import Flow
from physlearn.integrators.rk4 import RungeKutta4

HALVINGS = 53  # bisections of a step, enough to reach the last bit of a float64
MARGIN = 0.25  # safety margin for the overshoot of the interpolating cubic, whose error falls as the square of the step
TURNS = 100  # most periods of an angle within one step that are searched for crossings


@dataclass(frozen=True)
class Surface:
    """The surface on which the coordinate with index ``axis`` has a value, modulo its period (infinite for non-angles)."""

    axis: int
    value: float
    period: float
    direction: int

    def side(self, z: Float[Tensor, "*n D"]) -> Float[Tensor, "*n"]:
        """Return the signed distance of each state from the surface."""
        return z[..., self.axis] - self.value

    def passed(self, before: Float[Tensor, "*n"], after: Float[Tensor, "*n"]) -> Iterator[tuple[Bool[Tensor, "*n"], Tensor]]:
        """Yield which moves cross the surface in its direction, and the offset of the periodic image that they cross.

        An angle may cross several images in one move; each image is yielded in turn.
        """
        if not isfinite(self.period):
            yield self._of((before < 0) & (after >= 0), (before > 0) & (after <= 0)), torch.zeros_like(before)
            return
        start, end = before / self.period, after / self.period
        up = (end.floor() - start.floor()).nan_to_num(0.0)
        down = (start.ceil() - end.ceil()).nan_to_num(0.0)
        most = int(torch.maximum(up, down).amax()) if up.numel() else 0
        for number in range(min(most, TURNS)):
            image = torch.where(up > 0, start.floor() + 1 + number, start.ceil() - 1 - number)
            yield self._of(up > number, down > number), image * self.period

    def suspect(self, a: Tensor, b: Tensor, slope_a: Tensor, slope_b: Tensor) -> Bool[Tensor, "*n"]:
        """Return whether the coordinate may cross the surface and turn back within a step, or come close to doing so.

        ``a`` and ``b`` are the signed distances before and after the step, ``slope_a`` and ``slope_b`` their rates times the
        step. Turning points are those of the cubic that interpolates these values.
        """
        found = torch.zeros_like(a, dtype=torch.bool)
        for at in _turns(a, b, slope_a, slope_b):
            value = _cubic(a, b, slope_a, slope_b, at)
            for end in (a, b):
                found |= self._between(end, value + MARGIN * (value - end))
        return found

    def marked(
        self, rollout: Rollout, t: Float[Tensor, " c1"], path: Float[Tensor, "c1 n D"]
    ) -> tuple[Bool[Tensor, "c n"], Bool[Tensor, "c n"]]:
        """Return in which steps of a path the coordinate crosses the surface or may do so, and in which it may turn back."""
        side, slope = self.side(path), rates(rollout, t, path)[..., self.axis] * rollout.dt
        suspect = self.suspect(side[:-1], side[1:], slope[:-1], slope[1:])
        crossed = suspect.clone()
        for passed, _ in self.passed(side[:-1], side[1:]):
            crossed |= passed
        return crossed, suspect

    def points(self, rollout: Rollout, steps: Steps, suspect: Bool[Tensor, " m"]) -> tuple[Tensor, Tensor, Tensor]:
        """Return (orbit, t, z) of the crossings, unordered; suspect steps are divided at the coordinate's turning points."""
        if suspect.any():
            steps = steps[~suspect] + _divided(rollout, self, steps[suspect])
        found = [(steps.orbit[:0], steps.t[:0], steps.before[:0])]
        for crossed, image in self.passed(self.side(steps.before), self.side(steps.after)):
            if crossed.any():
                found.append((steps.orbit[crossed], *_onto(rollout, self.axis, self.value + image[crossed], steps[crossed])))
        orbit, t, z = (torch.cat(parts) for parts in zip(*found, strict=True))
        return orbit, t, z

    def _between(self, end: Tensor, turn: Tensor) -> Bool[Tensor, "*n"]:
        """Return whether an image of the surface lies between the end of a step and a turning point, if there is one."""
        unit = self.period if isfinite(self.period) else 1.0
        start, stop = end / unit, turn / unit
        if not isfinite(self.period):
            return (start * stop <= 0) & stop.isfinite()
        return ((start.floor() != stop.floor()) | (start == start.round())) & stop.isfinite()

    def _of(self, up: Tensor, down: Tensor) -> Tensor:
        return {1: up, -1: down, 0: up | down}[self.direction]


@dataclass(frozen=True)
class Steps:
    """Steps of length h from time t of the orbits with index ``orbit``, with the states before and after each step."""

    orbit: Int[Tensor, " m"]
    t: Float[Tensor, " m"]
    h: Float[Tensor, " m"]
    before: Float[Tensor, "m D"]
    after: Float[Tensor, "m D"]

    def __getitem__(self, which: Tensor) -> Steps:
        return Steps(self.orbit[which], self.t[which], self.h[which], self.before[which], self.after[which])

    def __add__(self, other: Steps) -> Steps:
        return Steps(*(torch.cat([getattr(self, name), getattr(other, name)]) for name in self.__dataclass_fields__))


def _divided(rollout: Rollout, surface: Surface, steps: Steps) -> Steps:
    """Divide steps at the turning points of the coordinate."""
    slopes = _slopes(rollout, surface, steps)
    turns = torch.stack(_turns(surface.side(steps.before), surface.side(steps.after), *slopes))
    twice = turns.isfinite().all(0)
    if twice.any():  # split between the two turning points, so that each part contains one
        steps = steps[~twice] + _split(rollout, steps[twice], turns[:, twice].mean(0) * steps.h[twice])
        slopes = _slopes(rollout, surface, steps)
    turned = slopes[0] * slopes[1] < 0
    if not turned.any():
        return steps
    inside = steps[turned]
    return steps[~turned] + _split(rollout, inside, turning_time(rollout, surface.axis, inside, slopes[0][turned]))


def turning_time(rollout: Rollout, axis: int, steps: Steps, slope: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Find the time after the start of each step at which the coordinate turns, by bisection."""
    low, length = torch.zeros_like(steps.h), steps.h
    for _ in range(HALVINGS):
        length = length / 2
        z = along(rollout, steps, low + length)
        rate = rates(rollout, steps.t + low + length, z)[:, axis]
        low = torch.where(rate * slope > 0, low + length, low)
    return low


def _split(rollout: Rollout, steps: Steps, at: Float[Tensor, " m"]) -> Steps:
    """Divide each step in two at a time after its start."""
    z = along(rollout, steps, at)
    first = Steps(steps.orbit, steps.t, at, steps.before, z)
    return first + Steps(steps.orbit, steps.t + at, steps.h - at, z, steps.after)


def _slopes(rollout: Rollout, surface: Surface, steps: Steps) -> tuple[Tensor, Tensor]:
    """Return the rates of the coordinate at both ends of each step, times the length of the step."""
    ends = ((steps.t, steps.before), (steps.t + steps.h, steps.after))
    first, last = (rates(rollout, t, z)[:, surface.axis] * steps.h for t, z in ends)
    return first, last


def _turns(a: Tensor, b: Tensor, slope_a: Tensor, slope_b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two turning points of the interpolating cubic within the unit step; NaN where there is none."""
    cubic, square = 3 * (2 * (a - b) + slope_a + slope_b), 3 * (b - a) - 2 * slope_a - slope_b
    root = (square.square() - cubic * slope_a).sqrt()  # NaN if there is no turning point
    larger = -(square + torch.where(square >= 0, root, -root))
    places = larger / cubic, slope_a / larger
    first, last = (torch.where((at > 0) & (at < 1), at, torch.nan) for at in places)
    return first, last


def _cubic(a: Tensor, b: Tensor, slope_a: Tensor, slope_b: Tensor, at: Tensor) -> Tensor:
    """Evaluate the interpolating cubic within the unit step."""
    cubic, square = 2 * (a - b) + slope_a + slope_b, 3 * (b - a) - 2 * slope_a - slope_b
    return a + at * (slope_a + at * (square + at * cubic))


def _onto(
    rollout: Rollout, axis: int, level: Float[Tensor, " m"], steps: Steps
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m D"]]:
    """Return the times and states on the surface for steps that cross it, each at its own level."""
    t, h, before, after = steps.t, steps.h, steps.before, steps.after
    far = (before[:, axis] - level).abs() > (after[:, axis] - level).abs()
    start = torch.cat([torch.where(far[:, None], after, before), torch.where(far, t + h, t)[:, None]], dim=-1)

    def by_coordinate(y: Tensor) -> Tensor:
        rate = _by_time(rollout, y)
        return rate / rate[:, axis, None]

    guess = _rk4(by_coordinate, start, (level - start[:, axis])[:, None])
    elapsed = guess[:, -1] - t
    slack = 1e-6 * h  # rounding may put a crossing at the very end of a step slightly outside of it
    lies = (elapsed >= -slack) & (elapsed <= h + slack)
    # If the coordinate moves unevenly, that step is inaccurate: integrate to its time, and step over the remaining distance.
    near = torch.cat([along(rollout, steps, elapsed), (t + elapsed)[:, None]], dim=-1)
    there = _rk4(by_coordinate, near, (level - near[:, axis])[:, None])
    lies &= (there[:, -1] - guess[:, -1]).abs() <= h / 8
    if not lies.all():
        there[~lies] = _halve(rollout, steps[~lies], axis, level[~lies])
    return there[:, -1], there[:, :-1]


def _halve(rollout: Rollout, steps: Steps, axis: int, level: Float[Tensor, " m"]) -> Float[Tensor, "m D1"]:
    """Return the states on the surface, with their times, by bisecting the steps that cross it."""
    side = (steps.after[:, axis] - level).sign()
    low, length = torch.zeros_like(steps.h), steps.h
    for _ in range(HALVINGS):
        length = length / 2
        middle = along(rollout, steps, low + length)
        low = torch.where((middle[:, axis] - level).sign() != side, low + length, low)
    return torch.cat([along(rollout, steps, low), (steps.t + low)[:, None]], dim=-1)


def along(rollout: Rollout, steps: Steps, elapsed: Float[Tensor, " m"]) -> Float[Tensor, "m D"]:
    """Return the states at some time after the start of each step."""
    begin = torch.cat([steps.before, steps.t[:, None]], dim=-1)
    return _rk4(lambda y: _by_time(rollout, y), begin, elapsed[:, None])[:, :-1]


def _by_time(rollout: Rollout, y: Float[Tensor, "m D1"]) -> Float[Tensor, "m D1"]:
    """Return the rates of states that have the time as last coordinate."""
    rate = rates(rollout, y[:, -1], y[:, :-1])
    return torch.cat([rate, torch.ones_like(rate[:, :1])], dim=-1)


def rates(rollout: Rollout, t: Float[Tensor, " m"], z: Float[Tensor, "m *n D"]) -> Float[Tensor, "m *n D"]:
    """Evaluate the vector field with a separate time for each state.

    A field takes one time for all states, so a time-dependent field is evaluated state by state.
    """
    if rollout.flow.autonomous:
        return rollout.flow.field(t.new_zeros(()), z)
    if not len(t):
        return z
    return torch.stack([rollout.flow.field(time, state) for time, state in zip(t, z, strict=True)])


def _rk4(f: Callable[[Tensor], Tensor], y: Float[Tensor, "m D1"], h: Float[Tensor, "m 1"]) -> Float[Tensor, "m D1"]:
    """Take one Runge-Kutta step, with a separate length for each state."""
    return RungeKutta4(Flow(field=lambda _, y: f(y), name="section")).step(y.new_zeros(()), y, h)
