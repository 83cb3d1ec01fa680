"""Explicit methods with a fixed step, compiled.

The states of one orbit, or of several side by side, are one array: the coordinates one after another, each for all orbits.
The functions that are called by their address act on such arrays (see `systems.compiled.function.CompiledFunction`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into

EULER, RK4, COMPOSED, SYMPLECTIC_EULER, MAP, INLINED = range(6)
EXACT: dict[str, Any] = {"error_model": "numpy"}


@loop(**EXACT)
def euler(field: int, p: Array, t: float, dt: float, y: Array, k: Array, state: Array) -> None:
    """Take a step of the explicit Euler method."""
    call_into(field, t, y, p, k, 0)
    for i in range(y.size):
        y[i] += dt * k[0, i]


@loop(**EXACT)
def rk4(field: int, p: Array, t: float, dt: float, y: Array, k: Array, state: Array) -> None:
    """Take a step of the classical Runge-Kutta method."""
    call_into(field, t, y, p, k, 0)
    for i in range(y.size):
        state[i] = y[i] + dt / 2 * k[0, i]
    call_into(field, t + dt / 2, state, p, k, 1)
    for i in range(y.size):
        state[i] = y[i] + dt / 2 * k[1, i]
    call_into(field, t + dt / 2, state, p, k, 2)
    for i in range(y.size):
        state[i] = y[i] + dt * k[2, i]
    call_into(field, t + dt, state, p, k, 3)
    for i in range(y.size):
        y[i] += dt / 6 * (k[0, i] + 2 * (k[1, i] + k[2, i]) + k[3, i])


@loop(**EXACT)
def composed(
    force: int, velocity: int, p_force: Array, p_velocity: Array, t: float, dt: float, weights: Array, y: Array, k: Array
) -> None:
    """Take leapfrog steps of the lengths ``weights`` times dt; k[0] is the force at y, before and after."""
    n, kick = y.size // 2, 0.0
    for weight in weights:
        for i in range(n):
            y[n + i] += dt * (kick + weight / 2) * k[0, i]
        call_into(velocity, t, y, p_velocity, k, 1)
        for i in range(n):
            y[i] += dt * weight * k[1, i]
        call_into(force, t, y, p_force, k, 0)
        kick = weight / 2
    for i in range(n):
        y[n + i] += dt * kick * k[0, i]


@loop(**EXACT)
def symplectic_euler(
    force: int, velocity: int, p_force: Array, p_velocity: Array, t: float, dt: float, y: Array, k: Array
) -> None:
    """Take a step of the symplectic Euler method for a separable Hamiltonian."""
    n = y.size // 2
    call_into(force, t, y, p_force, k, 0)
    for i in range(n):
        y[n + i] += dt * k[0, i]
    call_into(velocity, t, y, p_velocity, k, 1)
    for i in range(n):
        y[i] += dt * k[1, i]


@loop(**EXACT)
def inlined(
    function: int, p: Array, steps: int, number: int, dt: float, since: float, clock: float, period: float, y: Array, k: Array
) -> None:
    """Take many steps from the number ``number`` on by a function of `systems.compiled.inlined`."""
    p[0], p[1], p[2], p[3], p[4], p[5] = steps, number, dt, since, clock, period
    call_into(function, clock, y, p, k, 0)


@loop(**EXACT)
def iterate(law: int, p: Array, t: float, y: Array, k: Array) -> None:
    """Replace the states by the next ones, which a map gives."""
    call_into(law, t, y, p, k, 0)
    for i in range(y.size):
        y[i] = k[0, i]


@loop(nogil=True, **EXACT)
def run(
    kind: int,
    first: int,
    second: int,
    p: Array,
    p_second: Array,
    period: float,
    clock: float,
    since: Array,
    lengths: Array,
    counts: Array,
    weights: Array,
    apart: int,
    begin: int,
    end: int,
    taken: int,
    y: Array,
    out: Array,
    samples: Array,
) -> int:
    """Integrate from the output time ``begin`` to the output time ``end``, and return the number of steps taken so far.

    Parameters
    ----------
    kind
        The method.
    first, second
        Addresses of the field or the map, or of the force and the velocity.
    p, p_second, period, clock
        Parameters of both functions, period of the field (0 if there is none), and its time at the first output. A function
        that takes many steps gets its arguments in ``p``, which are changed.
    since, lengths, counts
        The output times since the first, and the length and number of the steps between them.
    weights
        Lengths of the leapfrog steps of a composition.
    apart
        Every so many steps, the states are stored in ``samples``.
    begin, end, taken
        Where the integration goes on.
    y : shape (M,)
        States, which are changed.
    out : shape (T, M)
        Receives the states at the output times.
    samples : shape (K, M)
        Receives the states at the start of some steps.
    """
    k, state = np.zeros((4, y.size)), np.zeros(y.size)
    if kind == COMPOSED:
        call_into(first, clock, y, p, k, 0)
    for place in range(begin, end):
        dt = lengths[place]
        if kind == INLINED:
            j = 0
            while j < counts[place]:
                if taken % apart == 0:
                    for i in range(y.size):
                        samples[taken // apart, i] = y[i]
                steps = min(counts[place] - j, apart - taken % apart)
                inlined(first, p, steps, j, dt, since[place], clock, period, y, k)
                j += steps
                taken += steps
        else:
            for j in range(counts[place]):
                elapsed = since[place] + j * dt
                t = clock + elapsed if period == 0.0 else np.remainder(clock + elapsed, period)
                if taken % apart == 0:
                    for i in range(y.size):
                        samples[taken // apart, i] = y[i]
                if kind == RK4:
                    rk4(first, p, t, dt, y, k, state)
                elif kind == COMPOSED:
                    composed(first, second, p, p_second, t, dt, weights, y, k)
                elif kind == EULER:
                    euler(first, p, t, dt, y, k, state)
                elif kind == MAP:
                    iterate(first, p, t, y, k)
                else:
                    symplectic_euler(first, second, p, p_second, t, dt, y, k)
                taken += 1
        for i in range(y.size):
            out[place + 1, i] = y[i]
    return taken
