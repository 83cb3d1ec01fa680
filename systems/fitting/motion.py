"""Derivatives of a system's field and orbits by states and parameters: compiled where possible, else by differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from systems.parametrized import numbers_of
from systems.system import System

if TYPE_CHECKING:
    from systems.compiled.field import TracedField
    from systems.compiled.function import CompiledFunction

TOLERANCE = 1e-12  # of a step of DOP853, relative to the size of each coordinate
FIRST_STEP = 0.05  # relative to the fastest time scale; the solver then adapts
MOST_STEPS = 20_000  # of a segment; parameters that need more, such as a high frequency, are far from any that fit
DIFFERENCE = 1e-5  # of central differences, relative to sizes

Array = np.ndarray
Derivatives = tuple[Array, Array, Array]  # values (..., D), by the state (..., D, D), by the parameters (..., D, P)


class Motion(Protocol):
    """The field of a system and its orbits, as functions of the free parameters."""

    def rates(self, values: Array, t: Array, z: Array) -> Derivatives:
        """Return dz/dt at n times and states, and its derivatives by the states and the parameters."""

    def orbits(self, values: Array, z0: Array, times: Sequence[Array]) -> list[Derivatives]:
        """Return the states of n orbits, each at its own times, and their derivatives by z0 (n, D) and the parameters."""


def motion_of(system: System, names: Sequence[str], t: Array, z: Array, size: Array) -> Motion:
    """Return the motion of a system with some free parameters.

    Sensitivities are integrated with the orbit if the field can be traced with its parameters and is smooth. Otherwise, as for
    a system that overrides `System.orbit`, they are central differences of orbits.

    Parameters
    ----------
    system : System
        The system.
    names : sequence of str
        The free parameters.
    t, z : shapes ``(n,)`` and ``(n, D)``
        Times and states at which the traced field is compared with the field.
    size : shape ``(D,)``
        Magnitude of each coordinate.
    """
    from systems.compiled.field import TracedField
    from systems.compiled.operators import UntraceableError
    from systems.compiled.traced import field_of_system

    declared = numbers_of(system)
    if type(system).orbit is System.orbit and np.isfinite(z).all():
        try:
            field = field_of_system(system)
            traced = field.field
            if isinstance(traced, TracedField) and len(field.parameters) == len(declared) and _smooth(traced):
                states = torch.from_numpy(z)
                field.check(system.vector_field, float(t[0]), states, float(t[-1]))
                return Sensitive(system, tuple(names), tuple(declared.index(name) for name in names), traced, size)
        except UntraceableError:
            pass
    return Differences(system, tuple(names), size)


def variant(system: System, names: Sequence[str], values: Array) -> System:
    """Return the system with other values of some parameters. Raises InputError if the system refuses them."""
    return replace(system, **dict(zip(names, values.tolist(), strict=True)))  # type: ignore[type-var]


def _smooth(field: TracedField) -> bool:
    """Return whether a field has no switches, across which derivatives of orbits jump."""
    from systems.compiled.expression import LOGICAL, needed

    return not any(one.operation in LOGICAL | {"sign", "floor"} for one in needed(field.rates))


@lru_cache(maxsize=64)
def _functions(field: TracedField, places: tuple[int, ...]) -> tuple[CompiledFunction, TracedField]:
    """Return the field with its derivatives by states and parameters, and the field of the orbit with its sensitivities."""
    from systems.compiled.derivative import jacobian, with_vectors
    from systems.compiled.field import TracedField
    from systems.compiled.function import CompiledFunction

    parameters = [field.variables[0].graph.variable("p", place) for place in places]
    rows = jacobian(field.rates, [*field.variables, *parameters])
    slopes = [[rate, *row] for rate, row in zip(field.rates, rows, strict=True)]
    values = CompiledFunction([one for row in slopes for one in row], interpreted=True)
    return values, TracedField(*with_vectors(field.rates, field.variables, field.dim, parameters))


@dataclass(frozen=True)
class Sensitive:
    r"""The motion of a traced field: the sensitivity equations are integrated with the orbit by DOP853.

    .. math:: \dot S = \frac{\partial f}{\partial z} S, \quad
        \dot H = \frac{\partial f}{\partial z} H + \frac{\partial f}{\partial \theta}

    Source: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, second edition, section I.14.
    """

    system: System
    names: tuple[str, ...]
    places: tuple[int, ...]
    field: TracedField
    size: Array

    def rates(self, values: Array, t: Array, z: Array) -> Derivatives:
        """Return dz/dt at n times and states, and its derivatives by the states and the parameters."""
        dim = self.field.dim
        found = _functions(self.field, self.places)[0](t, z, self._parameters(values)).reshape(len(z), dim, -1)
        return found[..., 0], found[..., 1 : dim + 1], found[..., dim + 1 :]

    def orbits(self, values: Array, z0: Array, times: Sequence[Array]) -> list[Derivatives]:
        """Return the states of n orbits, each at its own times, and their derivatives by z0 (n, D) and the parameters."""
        from systems.compiled.adaptive import solve
        from systems.compiled.field import ParametrizedField
        from systems.reference.time_scale import fastest_rate

        dim = self.field.dim
        _, by_state, _ = self.rates(values, np.array([t[0] for t in times]), z0)
        fastest = fastest_rate(torch.from_numpy(np.nan_to_num(by_state, posinf=0.0, neginf=0.0))).numpy()
        duration = np.array([t[-1] - t[0] for t in times])
        with np.errstate(divide="ignore"):
            first = np.sign(duration) * np.minimum(FIRST_STEP * np.where(fastest > 0, 1 / fastest, np.inf), np.abs(duration))
        size = (self.size[:, None] * np.concatenate([[1.0], 1 / self.size, 1 / magnitude(values)])).reshape(1, -1)
        identity = np.concatenate([np.eye(dim), np.zeros((dim, len(values)))], axis=1)
        start = torch.from_numpy(
            np.concatenate([z0[..., None], np.broadcast_to(identity, (len(z0), *identity.shape))], axis=2)
        )
        field = ParametrizedField(_functions(self.field, self.places)[1], self._parameters(values).tolist())
        found = []
        for place, t in enumerate(times):
            scales = size.copy(), first[place : place + 1]
            # the time of a driven field is not reduced by its period, which may depend on the parameters
            z = solve(field, start[place].reshape(1, -1), torch.from_numpy(t), TOLERANCE, TOLERANCE, None, scales, MOST_STEPS)
            whole = z[0].numpy().reshape(len(t), dim, -1)
            found.append((whole[..., 0], whole[..., 1 : dim + 1], whole[..., dim + 1 :]))
        return found

    def _parameters(self, values: Array) -> Array:
        system = variant(self.system, self.names, values)
        return np.array([float(getattr(system, name)) for name in numbers_of(system)])


@dataclass(frozen=True)
class Differences:
    """The motion of any system, whose derivatives are central differences."""

    system: System
    names: tuple[str, ...]
    size: Array

    def rates(self, values: Array, t: Array, z: Array) -> Derivatives:
        """Return dz/dt at n times and states, and its derivatives by the states and the parameters."""
        times = 0.0 if self.system.autonomous else torch.from_numpy(np.ascontiguousarray(t))

        def field(system: System, z: Array) -> Array:
            with torch.no_grad():
                return np.asarray(system.vector_field(times, torch.from_numpy(z.copy())).numpy())

        system = variant(self.system, self.names, values)
        steps = np.diag(DIFFERENCE * self.size)
        by_state = [(field(system, z + h) - field(system, z - h)) / (2 * h.sum()) for h in steps]
        by_value = [(field(up, z) - field(down, z)) / width for up, down, width in self._sides(values)]
        return field(system, z), np.stack(by_state, -1), np.stack(by_value, -1) if by_value else np.zeros((*z.shape, 0))

    def orbits(self, values: Array, z0: Array, times: Sequence[Array]) -> list[Derivatives]:
        """Return the states of n orbits, each at its own times, and their derivatives by z0 (n, D) and the parameters."""
        system, sides, steps = variant(self.system, self.names, values), self._sides(values), np.diag(DIFFERENCE * self.size)
        found = []
        for state, t in zip(z0, times, strict=True):
            at, dim = torch.from_numpy(np.ascontiguousarray(t)), len(state)
            starts = torch.from_numpy(np.concatenate([state[None], state + steps, state - steps]))
            z = system.orbit(starts, at, rtol=TOLERANCE, atol=TOLERANCE).z.numpy()
            by_state = (z[1 : dim + 1] - z[dim + 1 :]) / (2 * steps.sum(0))[:, None, None]
            by_values = np.zeros((*z[0].shape, len(values)))
            for place, (up, down, width) in enumerate(sides):
                high, low = (one.orbit(starts[0], at, rtol=TOLERANCE, atol=TOLERANCE).z for one in (up, down))
                by_values[..., place] = (high - low).numpy() / width
            found.append((z[0], by_state.transpose(1, 2, 0), by_values))
        return found

    def _sides(self, values: Array) -> list[tuple[System, System, float]]:
        """Return the systems with a parameter a little larger and a little smaller, and the difference, for each parameter."""
        steps = np.diag(DIFFERENCE * magnitude(values))
        return [
            (variant(self.system, self.names, values + h), variant(self.system, self.names, values - h), 2 * h.sum())
            for h in steps
        ]


def magnitude(values: Array) -> Array:
    """Return the magnitude of each parameter; 1 for a parameter that is 0."""
    return np.where(values == 0, 1.0, np.abs(values))
