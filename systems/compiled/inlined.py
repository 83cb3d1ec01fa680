"""Many steps of an explicit method as one function, with the field written into it.

A method that calls a field by its address reads and writes memory at each stage. Here a step is itself given by expressions,
so that its stages stay in the registers of the processor. The states are the same as by `systems.compiled.fixed_step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from systems.compiled.expression import Expression, needed, substituted
from systems.compiled.function import compiled
from systems.compiled.source import assignments, at, module, nested, parameters

LONGEST = 1200  # operations of a step; the code of so many takes more than a second to compile
WORTH = 500_000  # steps, each of one orbit or of several side by side, after which the steps of a field get code of their own
HEAD = ("steps", "first", "dt", "since", "clock", "period")  # the numbers before the parameters


@dataclass(frozen=True)
class Step:
    """A step of the length ``dt``, from the time ``t``, as expressions.

    Parameters
    ----------
    state, after : list of Expression
        The coordinates as variables, and their values after the step.
    kept, kept_after, initial : list of Expression
        Variables that are kept between steps, their values after the step, and those before the first step.
    """

    state: list[Expression]
    after: list[Expression]
    kept: list[Expression] = field(default_factory=list)
    kept_after: list[Expression] = field(default_factory=list)
    initial: list[Expression] = field(default_factory=list)

    @property
    def results(self) -> list[Expression]:
        """All expressions."""
        return [*self.after, *self.kept_after, *self.initial]

    @property
    def length(self) -> int:
        """Number of operations."""
        return len(needed(self.results))


def euler(rates: Sequence[Expression], z: list[Expression]) -> Step:
    """Return a step of the explicit Euler method."""
    dt = z[0].graph.variable("dt")
    return Step(z, [y + dt * rate for y, rate in zip(z, rates, strict=True)])


def rk4(rates: Sequence[Expression], z: list[Expression]) -> Step:
    """Return a step of the classical Runge-Kutta method."""
    t, dt = z[0].graph.variable("t"), z[0].graph.variable("dt")

    def stage(part: Expression, slopes: Sequence[Expression]) -> list[Expression]:
        moved = {y: y + part * slope for y, slope in zip(z, slopes, strict=True)}
        return substituted(rates, {**moved, t: t + part})

    second = stage(dt / 2, rates)
    third = stage(dt / 2, second)
    slopes = zip(z, rates, second, third, stage(dt, third), strict=True)
    return Step(z, [y + dt / 6 * (a + 2 * (b + c) + d) for y, a, b, c, d in slopes])


def iterated(rates: Sequence[Expression], z: list[Expression]) -> Step:
    """Return an iteration of a map, which gives the next states."""
    return Step(z, list(rates))


def composed(force: list[Expression], velocity: list[Expression], z: list[Expression], weights: Sequence[float]) -> Step:
    """Return leapfrog steps of the lengths ``weights`` times dt, between which the force is kept."""
    n = len(z) // 2
    dt, kept = z[0].graph.variable("dt"), [z[0].graph.variable("f", place) for place in range(n)]
    q, p, f, kick = z[:n], z[n:], list(kept), 0.0
    for weight in weights:
        p = [y + dt * (kick + weight / 2) * push for y, push in zip(p, f, strict=True)]
        slopes = substituted(velocity, dict(zip(z, [*q, *p], strict=True)))
        q = [y + dt * weight * slope for y, slope in zip(q, slopes, strict=True)]
        f = substituted(force, dict(zip(z, [*q, *p], strict=True)))
        kick = weight / 2
    p = [y + dt * kick * push for y, push in zip(p, f, strict=True)]
    return Step(z, [*q, *p], kept, f, force)


class Steps:
    """The steps of a field by one method, which get code of their own when so many have been taken that this pays.

    Parameters
    ----------
    kind : str
        The method: the name of a function of this module, in capitals.
    rates, z : list of Expression
        dz/dt and the coordinates.
    weights : sequence of float
        Lengths of the leapfrog steps of a composition.
    lanes : int
        Number of orbits side by side.
    """

    def __init__(self, kind: str, rates: list[Expression], z: list[Expression], weights: Sequence[float], lanes: int) -> None:
        self.kind, self.rates, self.z, self.weights, self.lanes = kind, rates, z, weights, lanes
        self.taken = 0

    def address(self, steps: int) -> int | None:
        """Return the address of the code, or None if some more steps are not worth it."""
        self.taken += steps
        return self._address if self.taken >= WORTH else None

    @cached_property
    def _address(self) -> int | None:
        if len(needed(self.rates)) > LONGEST:
            return None
        n = len(self.z) // 2
        if self.kind == "COMPOSED":
            step = composed(self.rates[n:], self.rates[:n], self.z, self.weights)
        elif self.kind in ONE_STEP:
            step = ONE_STEP[self.kind](self.rates, self.z)
        else:
            return None
        return int(compiled(source(step, self.lanes)).address) if step.length <= LONGEST else None


ONE_STEP = {"EULER": euler, "RK4": rk4, "MAP": iterated}


def source(step: Step, lanes: int) -> str:
    """Return the source of a module whose ``function(t, z, p, out)`` takes many steps.

    The array ``z`` holds the states of ``lanes`` orbits, and is changed; ``out`` holds what is kept between steps. The
    parameters in ``p`` come after the numbers of `HEAD`: how many steps, the number of the first since the last output, their
    length, the time of that output since the start of the orbit, the time of the field at the start, and its period or 0.
    """
    state, kept = [f"z{place}" for place in range(len(step.state))], [f"f{place}" for place in range(len(step.kept))]
    in_z, in_out = ([f"{name}[{at(i, lanes)}]" for i in range(len(of))] for name, of in (("z", state), ("out", kept)))
    head = [*(f"{name} = p[{place}]" for place, name in enumerate(HEAD)), *parameters(step.results, len(HEAD))]
    time = ["t = clock + (since + (first + step) * dt)", *nested("if period != 0.0:", ["t = np.remainder(t, period)"])]
    start, initial = assignments(step.initial)
    inside, after = assignments([*step.after, *step.kept_after])
    every, each = "for step in range(int(steps)):", f"for lane in range({lanes}):"
    if lanes == 1:
        before = [*_assigned(state, in_z), *start, *_assigned(kept, initial)]
        together = f"{', '.join([*state, *kept])}, = {', '.join(after)},"
        return module([*head, *before, *nested(every, [*time, *inside, together]), *_assigned(in_z, state)])
    before = nested(each, [*_assigned(state, in_z), *start, *_assigned(in_out, initial)]) if kept else []
    body = [*_assigned([*state, *kept], [*in_z, *in_out]), *inside, *_assigned([*in_z, *in_out], after)]
    return module([*head, *before, *nested(every, [*time, *nested(each, body)])])


def _assigned(names: Sequence[str], values: Sequence[str]) -> list[str]:
    return [f"{name} = {value}" for name, value in zip(names, values, strict=True)]
