"""The adaptive method of Dormand and Prince of order 8, compiled: each orbit takes its own steps.

References
----------
Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, second edition, section II.10.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import DOP853

from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into

A, B, C = (np.ascontiguousarray(table) for table in (DOP853.A, DOP853.B, DOP853.C))
E3, E5 = np.ascontiguousarray(DOP853.E3), np.ascontiguousarray(DOP853.E5)
EXTRA, C_EXTRA, DENSE = (np.ascontiguousarray(table) for table in (DOP853.A_EXTRA, DOP853.C_EXTRA, DOP853.D))
STAGES = 12
SAFETY, SMALLEST_FACTOR, LARGEST_FACTOR = 0.9, 0.2, 10.0
SMALLEST = 1e-15  # a step that is shorter than this share of the time cannot be told from none
LARGEST_CHANGE = 10.0  # change of a coordinate in units of its size, above which its size does not tell what it will be
RUNNING, DONE, LOST = 0, 1, 2
EXACT: dict[str, Any] = {"error_model": "numpy"}


@loop(inline="always", error_model="numpy")
def at(clock: float, elapsed: float, lost: float, period: float) -> float:
    """Return the time of the field, reduced modulo its period; what is lost in rounding the sum is added."""
    time = clock + elapsed
    lost += elapsed - (time - clock) if abs(clock) > abs(elapsed) else clock - (time - elapsed)
    return (time if period == 0.0 else np.remainder(time, period)) + lost


@loop(**EXACT)
def step(
    field: int, p: Array, phase: float, h: float, y: Array, k: Array, state: Array, new: Array, fifth: Array, third: Array
) -> None:
    """Write the change of the states in a step, divided by h, and two estimates of its error; k[0] is the field at y."""
    n = y.size
    for i in range(n):
        state[i] = y[i] + h * (A[1, 0] * k[0, i])
    call_into(field, phase + C[1] * h, state, p, k, 1)
    for i in range(n):
        state[i] = y[i] + h * (A[2, 0] * k[0, i] + A[2, 1] * k[1, i])
    call_into(field, phase + C[2] * h, state, p, k, 2)
    for i in range(n):
        state[i] = y[i] + h * (A[3, 0] * k[0, i] + A[3, 2] * k[2, i])
    call_into(field, phase + C[3] * h, state, p, k, 3)
    for i in range(n):
        state[i] = y[i] + h * (A[4, 0] * k[0, i] + A[4, 2] * k[2, i] + A[4, 3] * k[3, i])
    call_into(field, phase + C[4] * h, state, p, k, 4)
    for i in range(n):
        state[i] = y[i] + h * (A[5, 0] * k[0, i] + A[5, 3] * k[3, i] + A[5, 4] * k[4, i])
    call_into(field, phase + C[5] * h, state, p, k, 5)
    for i in range(n):
        state[i] = y[i] + h * (A[6, 0] * k[0, i] + A[6, 3] * k[3, i] + A[6, 4] * k[4, i] + A[6, 5] * k[5, i])
    call_into(field, phase + C[6] * h, state, p, k, 6)
    for i in range(n):
        state[i] = y[i] + h * (
            A[7, 0] * k[0, i] + A[7, 3] * k[3, i] + A[7, 4] * k[4, i] + A[7, 5] * k[5, i] + A[7, 6] * k[6, i]
        )
    call_into(field, phase + C[7] * h, state, p, k, 7)
    for i in range(n):
        state[i] = y[i] + h * (
            A[8, 0] * k[0, i]
            + A[8, 3] * k[3, i]
            + A[8, 4] * k[4, i]
            + A[8, 5] * k[5, i]
            + A[8, 6] * k[6, i]
            + A[8, 7] * k[7, i]
        )
    call_into(field, phase + C[8] * h, state, p, k, 8)
    for i in range(n):
        state[i] = y[i] + h * (
            A[9, 0] * k[0, i]
            + A[9, 3] * k[3, i]
            + A[9, 4] * k[4, i]
            + A[9, 5] * k[5, i]
            + A[9, 6] * k[6, i]
            + A[9, 7] * k[7, i]
            + A[9, 8] * k[8, i]
        )
    call_into(field, phase + C[9] * h, state, p, k, 9)
    for i in range(n):
        state[i] = y[i] + h * (
            A[10, 0] * k[0, i]
            + A[10, 3] * k[3, i]
            + A[10, 4] * k[4, i]
            + A[10, 5] * k[5, i]
            + A[10, 6] * k[6, i]
            + A[10, 7] * k[7, i]
            + A[10, 8] * k[8, i]
            + A[10, 9] * k[9, i]
        )
    call_into(field, phase + C[10] * h, state, p, k, 10)
    for i in range(n):
        state[i] = y[i] + h * (
            A[11, 0] * k[0, i]
            + A[11, 3] * k[3, i]
            + A[11, 4] * k[4, i]
            + A[11, 5] * k[5, i]
            + A[11, 6] * k[6, i]
            + A[11, 7] * k[7, i]
            + A[11, 8] * k[8, i]
            + A[11, 9] * k[9, i]
            + A[11, 10] * k[10, i]
        )
    call_into(field, phase + C[11] * h, state, p, k, 11)
    for i in range(n):
        new[i] = (
            B[0] * k[0, i]
            + B[5] * k[5, i]
            + B[6] * k[6, i]
            + B[7] * k[7, i]
            + B[8] * k[8, i]
            + B[9] * k[9, i]
            + B[10] * k[10, i]
            + B[11] * k[11, i]
        )
        fifth[i] = (
            E5[0] * k[0, i]
            + E5[5] * k[5, i]
            + E5[6] * k[6, i]
            + E5[7] * k[7, i]
            + E5[8] * k[8, i]
            + E5[9] * k[9, i]
            + E5[10] * k[10, i]
            + E5[11] * k[11, i]
        )
        third[i] = (
            E3[0] * k[0, i]
            + E3[5] * k[5, i]
            + E3[6] * k[6, i]
            + E3[7] * k[7, i]
            + E3[8] * k[8, i]
            + E3[9] * k[9, i]
            + E3[10] * k[10, i]
            + E3[11] * k[11, i]
        )


@loop(**EXACT)
def prepare(field: int, p: Array, phase: float, h: float, y: Array, new: Array, k: Array, state: Array, dense: Array) -> None:
    """Write the coefficients of the dense output of a step, which has order 7; k[12] is the field at its end."""
    n = y.size
    for i in range(n):
        state[i] = y[i] + h * (
            EXTRA[0, 0] * k[0, i]
            + EXTRA[0, 6] * k[6, i]
            + EXTRA[0, 7] * k[7, i]
            + EXTRA[0, 8] * k[8, i]
            + EXTRA[0, 9] * k[9, i]
            + EXTRA[0, 10] * k[10, i]
            + EXTRA[0, 11] * k[11, i]
            + EXTRA[0, 12] * k[12, i]
        )
    call_into(field, phase + C_EXTRA[0] * h, state, p, k, 13)
    for i in range(n):
        state[i] = y[i] + h * (
            EXTRA[1, 0] * k[0, i]
            + EXTRA[1, 5] * k[5, i]
            + EXTRA[1, 6] * k[6, i]
            + EXTRA[1, 7] * k[7, i]
            + EXTRA[1, 10] * k[10, i]
            + EXTRA[1, 11] * k[11, i]
            + EXTRA[1, 12] * k[12, i]
            + EXTRA[1, 13] * k[13, i]
        )
    call_into(field, phase + C_EXTRA[1] * h, state, p, k, 14)
    for i in range(n):
        state[i] = y[i] + h * (
            EXTRA[2, 0] * k[0, i]
            + EXTRA[2, 5] * k[5, i]
            + EXTRA[2, 6] * k[6, i]
            + EXTRA[2, 7] * k[7, i]
            + EXTRA[2, 8] * k[8, i]
            + EXTRA[2, 12] * k[12, i]
            + EXTRA[2, 13] * k[13, i]
            + EXTRA[2, 14] * k[14, i]
        )
    call_into(field, phase + C_EXTRA[2] * h, state, p, k, 15)
    for i in range(n):
        delta = new[i] - y[i]
        dense[0, i] = delta
        dense[1, i] = h * k[0, i] - delta
        dense[2, i] = 2 * delta - h * (k[12, i] + k[0, i])
        dense[3, i] = h * (
            DENSE[0, 0] * k[0, i]
            + DENSE[0, 5] * k[5, i]
            + DENSE[0, 6] * k[6, i]
            + DENSE[0, 7] * k[7, i]
            + DENSE[0, 8] * k[8, i]
            + DENSE[0, 9] * k[9, i]
            + DENSE[0, 10] * k[10, i]
            + DENSE[0, 11] * k[11, i]
            + DENSE[0, 12] * k[12, i]
            + DENSE[0, 13] * k[13, i]
            + DENSE[0, 14] * k[14, i]
            + DENSE[0, 15] * k[15, i]
        )
        dense[4, i] = h * (
            DENSE[1, 0] * k[0, i]
            + DENSE[1, 5] * k[5, i]
            + DENSE[1, 6] * k[6, i]
            + DENSE[1, 7] * k[7, i]
            + DENSE[1, 8] * k[8, i]
            + DENSE[1, 9] * k[9, i]
            + DENSE[1, 10] * k[10, i]
            + DENSE[1, 11] * k[11, i]
            + DENSE[1, 12] * k[12, i]
            + DENSE[1, 13] * k[13, i]
            + DENSE[1, 14] * k[14, i]
            + DENSE[1, 15] * k[15, i]
        )
        dense[5, i] = h * (
            DENSE[2, 0] * k[0, i]
            + DENSE[2, 5] * k[5, i]
            + DENSE[2, 6] * k[6, i]
            + DENSE[2, 7] * k[7, i]
            + DENSE[2, 8] * k[8, i]
            + DENSE[2, 9] * k[9, i]
            + DENSE[2, 10] * k[10, i]
            + DENSE[2, 11] * k[11, i]
            + DENSE[2, 12] * k[12, i]
            + DENSE[2, 13] * k[13, i]
            + DENSE[2, 14] * k[14, i]
            + DENSE[2, 15] * k[15, i]
        )
        dense[6, i] = h * (
            DENSE[3, 0] * k[0, i]
            + DENSE[3, 5] * k[5, i]
            + DENSE[3, 6] * k[6, i]
            + DENSE[3, 7] * k[7, i]
            + DENSE[3, 8] * k[8, i]
            + DENSE[3, 9] * k[9, i]
            + DENSE[3, 10] * k[10, i]
            + DENSE[3, 11] * k[11, i]
            + DENSE[3, 12] * k[12, i]
            + DENSE[3, 13] * k[13, i]
            + DENSE[3, 14] * k[14, i]
            + DENSE[3, 15] * k[15, i]
        )


@loop(**EXACT)
def interpolate(dense: Array, x: float, y: Array, into: Array) -> None:
    """Write the states after the share x of a step into an array."""
    for i in range(y.size):
        value = 0.0
        for row in range(6, -1, -1):
            value = (value + dense[row, i]) * (x if row % 2 == 0 else 1 - x)
        into[i] = y[i] + value


@loop(**EXACT)
def accept(
    h: float, rtol: float, atol: float, y: Array, low: Array, size: Array, k: Array, new: Array, fifth: Array, third: Array
) -> float:
    """Turn the change in ``new`` into states, write their rounding errors into ``third``, and return the error of the step.

    The error is in units of the tolerance. The sum is compensated: what earlier steps lost in rounding is added.
    """
    of_fifth = of_third = 0.0
    for i in range(y.size):
        change = h * new[i] + low[i]
        new[i] = y[i] + change
        scale = max(abs(y[i]), abs(new[i]))
        reach = max(size[i], scale)
        if abs(change) > LARGEST_CHANGE * size[i]:  # near zero: compare with the motion instead
            for stage in range(STAGES):
                reach = max(reach, abs(h * k[stage, i]))
        tolerance = rtol * scale + atol * reach
        if tolerance > 0.0:
            of_fifth += (fifth[i] / tolerance) ** 2
            of_third += (third[i] / tolerance) ** 2
        third[i] = change - (new[i] - y[i])
    if of_fifth == 0.0 and of_third == 0.0:
        return 0.0
    return abs(h) * of_fifth / np.sqrt((of_fifth + 0.01 * of_third) * y.size)


@loop(nogil=True, **EXACT)
def follow(
    field: int,
    p: Array,
    period: float,
    clock: float,
    times: Array,
    rtol: float,
    atol: float,
    most: int,
    y: Array,
    low: Array,
    rate: Array,
    size: Array,
    elapsed: Array,
    steps: Array,
    place: Array,
    status: Array,
    out: Array,
) -> None:
    """Follow orbits to the output times, or for a number of steps. What describes the orbits is changed in place.

    Parameters
    ----------
    field, p, period, clock
        Address and parameters of the field, its period (0 if it has none), and its time at the first output.
    times : shape (T,)
        Output times since the first, from 0.
    rtol, atol
        Tolerances of a step.
    most : int
        Number of steps of each orbit after which the function returns.
    y, low, rate, size : shape (n, D)
        States, their rounding errors, the field there, and the largest sizes of the coordinates so far.
    elapsed : shape (n, 2)
        Time since the first output, and its rounding error.
    steps, place, status : shape (n,)
        The next step, the index of the next output, and whether the orbit is running, done or lost.
    out : shape (n, T, D)
        The states at the output times.
    """
    n, end = y.shape[1], times[-1]
    direction = 1.0 if end > 0 else -1.0
    k = np.zeros((STAGES + 4, n))
    state, new, fifth, third, now_y, now_low = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    dense = np.zeros((7, n))
    for orbit in range(y.shape[0]):
        for i in range(n):
            now_y[i], now_low[i], k[0, i] = y[orbit, i], low[orbit, i], rate[orbit, i]
        now, lost, following = elapsed[orbit, 0], elapsed[orbit, 1], steps[orbit]
        rejected = False
        for _ in range(most):
            if status[orbit] != RUNNING:
                break
            h = following
            last = direction * (now + h - end) >= 0
            if last:
                h = end - now - lost
            if not abs(h) > SMALLEST * abs(now):  # also if it is not a number
                status[orbit] = LOST
                break
            phase = at(clock, now, lost, period)
            step(field, p, phase, h, now_y, k, state, new, fifth, third)
            error = accept(h, rtol, atol, now_y, now_low, size[orbit], k, new, fifth, third)
            change = SAFETY * error ** (-1 / 8) if error > 0.0 else LARGEST_FACTOR
            if not error <= 1.0:
                rejected = True
                following = h * (max(SMALLEST_FACTOR, change) if error == error else SMALLEST_FACTOR)
                continue
            moved = h + lost
            later = end if last else now + moved
            call_into(field, phase + h, new, p, k, STAGES)
            if direction * (times[place[orbit]] - later) < 0:
                prepare(field, p, phase, h, now_y, new, k, state, dense)
            while place[orbit] < times.size and direction * (times[place[orbit]] - later) <= 0:
                if times[place[orbit]] == later:
                    for i in range(n):
                        out[orbit, place[orbit], i] = new[i]
                else:
                    interpolate(dense, (times[place[orbit]] - now) / h, now_y, out[orbit, place[orbit]])
                place[orbit] += 1
            for i in range(n):
                now_y[i], now_low[i], k[0, i] = new[i], third[i], k[STAGES, i]
                size[orbit, i] = max(size[orbit, i], abs(new[i]))
            now, lost = later, moved - (later - now)
            following = h * max(SMALLEST_FACTOR, min(1.0 if rejected else LARGEST_FACTOR, change))
            rejected = False
            if last:
                status[orbit] = DONE
        for i in range(n):
            y[orbit, i], low[orbit, i], rate[orbit, i] = now_y[i], now_low[i], k[0, i]
        elapsed[orbit, 0], elapsed[orbit, 1], steps[orbit] = now, lost, following
