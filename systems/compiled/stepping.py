"""Integrate many orbits by a compiled method with fixed steps: side by side in blocks, and in threads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from systems.compiled.blocks import each_block, lanes_of, one_by_one, side_by_side
from systems.compiled.field import ParametrizedField
from systems.compiled.loops import Array

STEPS_AT_ONCE = 3_000_000  # so that progress is shown, and the user can interrupt


@dataclass(frozen=True)
class Grid:
    """Times: those of the outputs since the first, and the number of steps between them.

    Parameters
    ----------
    since : shape (T,)
        Output times since the first.
    counts : shape (T - 1,)
        Number of steps between two outputs.
    clock : float
        Time of the field at the first output.
    period : float, optional
        Period of the field in time.
    samples : int
        Approximate number of steps whose initial states are kept.
    lengths : shape (T - 1,), optional
        Length of the steps between two outputs; by default, those that fill the time.
    """

    since: Array
    counts: Array
    clock: float
    period: float | None
    samples: int
    lengths: Array = dataclasses.field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if not self.lengths.size:
            object.__setattr__(self, "lengths", np.diff(self.since) / self.counts)

    @cached_property
    def apart(self) -> int:
        """Number of steps from one sample to the next."""
        return max(1, int(self.counts.sum()) // self.samples)

    def sampled(self) -> list[tuple[float, float]]:
        """Return the time, reduced by the period, and the length of each sampled step."""
        starts = np.concatenate([[0], np.cumsum(self.counts)])
        steps = np.arange(0, starts[-1], self.apart)
        places = np.searchsorted(starts, steps, side="right") - 1
        dt = self.lengths[places]
        times = self.clock + self.since[places] + (steps - starts[places]) * dt
        times = times if self.period is None else times % self.period
        return list(zip(times.tolist(), dt.tolist(), strict=True))


Turn = Callable[[Grid, int, int, int, Array, Array], int]


@dataclass(frozen=True)
class Calls:
    """What a loop over steps calls.

    Parameters
    ----------
    kind : int
        The method, as `systems.compiled.fixed_step` knows it.
    addresses : tuple of int
        Where the functions are: of the field twice, of the force and the velocity, or of code for many steps.
    numbers : tuple of arrays
        What each function takes as its parameters.
    """

    kind: int
    addresses: tuple[int, int]
    numbers: tuple[Array, Array]

    def of_a_block(self) -> tuple[int, int, int, Array, Array]:
        """Return the arguments of a loop for one block, whose numbers are its own, as code for many steps changes them."""
        return self.kind, *self.addresses, self.numbers[0].copy(), self.numbers[1]


class Method:
    """A compiled method: what it calls, and one turn of a block of orbits."""

    def prepare(self, field: ParametrizedField, lanes: int, steps: int) -> Callable[[Array], Turn]:
        """Return a function that starts a block of orbits: from its states, it returns the function that integrates it.

        About so many steps will be taken, each of a whole block.

        That function works turn by turn. It is called with the grid, the output times at which the turn begins and ends, the
        number of steps taken before, and the arrays that receive the states; and returns the number of steps taken so far.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Explicit(Method):
    """An explicit method of `systems.compiled.fixed_step`.

    Parameters
    ----------
    kind : str
        Its name there.
    weights : sequence of float
        Lengths of the leapfrog steps of a composition.
    separable : bool
        Whether it uses the force and the velocity.
    """

    kind: str
    weights: Sequence[float] = (1.0,)
    separable: bool = False

    def calls(self, field: ParametrizedField, lanes: int, steps: int) -> Calls:
        """Return what the loops of `systems.compiled.fixed_step` and `systems.compiled.tangent` call for so many steps."""
        from systems.compiled import fixed_step, inlined

        own = field.field.steps(self.kind, self.weights, lanes)
        if own is not None and (address := own.address(steps)) is not None:
            numbers = np.concatenate([np.zeros(len(inlined.HEAD)), field.parameters])
            return Calls(fixed_step.INLINED, (address, address), (numbers, numbers))
        half = field.field.dim // 2
        parts = ((half, None), (0, half)) if self.separable else ((0, None), (0, None))
        functions = [field.field.part(*part) for part in parts]
        addresses = [function.address if lanes == 1 else function.wide for function in functions]
        first, second = (function.arguments(field.parameters) for function in functions)
        return Calls(getattr(fixed_step, self.kind), (addresses[0], addresses[1]), (first, second))

    def prepare(self, field: ParametrizedField, lanes: int, steps: int) -> Callable[[Array], Turn]:
        """Return a function that starts a block of orbits."""
        from systems.compiled import fixed_step

        calls, weights = self.calls(field, lanes, steps), np.array(self.weights)

        def start(y: Array) -> Turn:
            own = calls.of_a_block()

            def turn(grid: Grid, begin: int, end: int, taken: int, out: Array, samples: Array) -> int:
                times = (grid.period or 0.0, grid.clock, grid.since, grid.lengths, grid.counts)
                method = (*times, weights, grid.apart, begin, end, taken)
                return int(fixed_step.run(*own, *method, y, out, samples))

            return turn

        return start


@dataclass(frozen=True)
class Implicit(Method):
    """A method of `systems.compiled.implicit`. Orbits with a step that does not converge are NaN from then on.

    Parameters
    ----------
    a, b, c : sequences of float
        Matrix, weights and nodes of a collocation method.
    tolerance : float
        Tolerance of the solution of a step.
    momenta : bool, default False
        Whether only the increments of the momenta count in the stages.
    """

    a: Sequence[Sequence[float]]
    b: Sequence[float]
    c: Sequence[float]
    tolerance: float
    momenta: bool = False

    def prepare(self, field: ParametrizedField, lanes: int, steps: int) -> Callable[[Array], Turn]:
        """Return a function that starts a block of orbits."""
        from systems.compiled import implicit

        function, jacobian = field.field.function, field.field.jacobian
        parameters = function.arguments(field.parameters), jacobian.arguments(field.parameters)
        wide = function.address if lanes == 1 else function.wide
        mask = np.ones(field.field.dim * lanes)
        if self.momenta:
            mask[: len(mask) // 2] = 0.0
        scheme, weights = (np.array(self.a), np.array(self.c), mask), np.array(self.b)
        addresses = wide, function.address, jacobian.address

        def start(y: Array) -> Turn:
            size, lost = np.abs(y), np.zeros(lanes, dtype=np.bool_)

            def turn(grid: Grid, begin: int, end: int, taken: int, out: Array, samples: Array) -> int:
                times = (grid.period or 0.0, grid.clock, grid.since, grid.lengths, grid.counts)
                method = (scheme, weights, lanes, self.tolerance, grid.apart, begin, end, taken)
                return int(implicit.run(*addresses, *parameters, *times, *method, y, size, lost, out, samples))

            return turn

        return start


class Tao(Method):
    """Tao's method.

    Parameters
    ----------
    weights : sequence of float
        Lengths of the parts of a step.
    omega : float
        Frequency of the spring between the copies.
    ratio : array, shape ``(D / 2,)``
        Size of each momentum divided by that of its position.
    """

    def __init__(self, weights: Sequence[float], omega: float, ratio: Array) -> None:
        self.weights, self.omega, self.ratio = np.array(weights), omega, ratio
        self._distances: list[Array] = []

    @property
    def distance(self) -> float:
        """The largest distance between the copies of an orbit so far."""
        return float(np.max([one[0] for one in self._distances], initial=0.0))

    def prepare(self, field: ParametrizedField, lanes: int, steps: int) -> Callable[[Array], Turn]:
        """Return a function that starts a block of orbits."""
        from systems.compiled import tao

        function, ratio = field.field.function, np.repeat(self.ratio, lanes)
        address, p = function.address if lanes == 1 else function.wide, function.arguments(field.parameters)

        def start(y: Array) -> Turn:
            copies, distance = np.concatenate([y, y]).reshape(4, -1), np.zeros(1)
            self._distances.append(distance)

            def turn(grid: Grid, begin: int, end: int, taken: int, out: Array, samples: Array) -> int:
                times = (grid.period or 0.0, grid.clock, grid.since, grid.lengths, grid.counts)
                method = self.weights, self.omega, ratio, lanes, grid.apart, begin, end, taken
                return int(tao.run(address, p, *times, *method, copies, out, samples, distance))

            return turn

        return start


def integrate(
    method: Method, field: ParametrizedField, z0: Array, grid: Grid, tick: Callable[[int], Any] = lambda done: None
) -> tuple[Array, Array]:
    """Integrate orbits.

    Parameters
    ----------
    method : Method
        The method.
    field : ParametrizedField
        The field.
    z0 : shape ``(n, D)``
        Initial states, of at least one orbit.
    grid : Grid
        Output times and steps.
    tick : callable
        Called with the number of output times that have been reached since it was called before.

    Returns
    -------
    tuple of arrays, shapes ``(n, T, D)`` and ``(n, K, D)``
        The states at the output times, and at the start of sampled steps.
    """
    n, dim = z0.shape
    lanes = lanes_of(field.field.function, n)
    y = side_by_side(z0, lanes)
    blocks = len(y)
    y = y.reshape(blocks, dim * lanes)
    taken = np.zeros(blocks, dtype=np.int64)
    out = np.empty((blocks, len(grid.since), dim * lanes))
    out[:, 0] = y
    samples = np.empty((blocks, -(-int(grid.counts.sum()) // grid.apart), dim * lanes))
    turns = list(map(method.prepare(field, lanes, int(grid.counts.sum()) * blocks), y))

    def block(place: int, begin: int, end: int) -> None:
        taken[place] = turns[place](grid, begin, end, int(taken[place]), out[place], samples[place])

    begin = 0
    while begin < len(grid.counts):
        end = _end(grid.counts, begin, max(1, STEPS_AT_ONCE // blocks))
        operations = int(grid.counts[begin:end].sum()) * blocks * lanes * field.field.cost
        each_block(partial(block, begin=begin, end=end), blocks, operations)
        tick(end - begin)
        begin = end
    found, kept = (one_by_one(part.reshape(*part.shape[:2], dim, lanes), n) for part in (out, samples))
    return found, kept


def _end(counts: Array, begin: int, most: int) -> int:
    """Return the output up to which a turn goes: at least one, and about ``most`` steps."""
    return begin + max(1, int(np.searchsorted(np.cumsum(counts[begin:]), most, side="right")))
