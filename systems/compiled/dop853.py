"""The adaptive method of Dormand and Prince of order 8, compiled: each orbit takes its own steps.

References
----------
Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, second edition, section II.10.
"""

from __future__ import annotations

import numpy as np

from systems.compiled.dop853_stages import EXACT, STAGES, prepare, step
from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into
from systems.reference.jumps import ACROSS, AT_ONCE, STILL

SAFETY, SMALLEST_FACTOR, LARGEST_FACTOR = 0.9, 0.2, 10.0
SMALLEST = 1e-15  # a step that is shorter than this share of the time cannot be told from none
LARGEST_CHANGE = 10.0  # change of a coordinate in units of its size, above which its size does not tell what it will be
REJECTED, RUNNING, DONE, LOST = -1, 0, 1, 2  # states of an orbit; the first is running, and its last step was rejected


@loop(inline="always", error_model="numpy")
def at(clock: float, elapsed: float, lost: float, period: float) -> float:
    """Return the time of the field, reduced modulo its period; what is lost in rounding the sum is added."""
    time = clock + elapsed
    lost += elapsed - (time - clock) if abs(clock) > abs(elapsed) else clock - (time - elapsed)
    return (time if period == 0.0 else np.remainder(time, period)) + lost


@loop(**EXACT)
def interpolate(dense: Array, x: float, y: Array, into: Array, first: int, stride: int) -> None:
    """Write the state after the share x of a step into an array. Its elements are the first of y and those at a stride."""
    for i in range(into.size):
        place = first + i * stride
        value = 0.0
        for row in range(6, -1, -1):
            value = (value + dense[row, place]) * (x if row % 2 == 0 else 1 - x)
        into[i] = y[place] + value


@loop(**EXACT)
def still(h: float, y: Array, size: Array, k: Array, first: int, stride: int) -> bool:
    """Return whether no stage moves a coordinate by more than a negligible part of its size, if it has one."""
    for i in range(first, y.size, stride):
        reach = max(size[i], abs(y[i]))
        for stage in range(STAGES):
            if reach > 0.0 and not abs(h * k[stage, i]) <= STILL * reach:
                return False
    return True


@loop(**EXACT)
def accept(
    h: float,
    rtol: float,
    atol: float,
    y: Array,
    low: Array,
    size: Array,
    k: Array,
    new: Array,
    fifth: Array,
    third: Array,
    across: float,
    first: int,
    stride: int,
) -> float:
    """Turn the change in ``new`` into states, write their rounding errors into ``third``, and return the error of the step.

    The error is in units of the tolerance. A step that is not longer than ``across`` and does not move the orbit is accepted
    whatever its error is, because the field may jump within it. The sum is compensated: what earlier steps lost in rounding is
    added. The elements of the orbit are the first and those at a stride from it.
    """
    of_fifth = of_third = 0.0
    for i in range(first, y.size, stride):
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
    error = abs(h) * of_fifth / np.sqrt((of_fifth + 0.01 * of_third) * (y.size // stride))
    return 1.0 if error > 1.0 and abs(h) <= across and still(h, y, size, k, first, stride) else error


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
    dense, h_of_each = np.zeros((7, n)), np.zeros(n)
    for orbit in range(y.shape[0]):
        for i in range(n):
            now_y[i], now_low[i], k[0, i] = y[orbit, i], low[orbit, i], rate[orbit, i]
        now, lost, following = elapsed[orbit, 0], elapsed[orbit, 1], steps[orbit]
        for _ in range(most):
            if status[orbit] > RUNNING:
                break
            h = following
            last = direction * (now + h - end) >= 0
            if last:
                h = end - now - lost
            if not abs(h) > SMALLEST * abs(now):  # also if it is not a number
                status[orbit] = LOST
                break
            across = ACROSS * abs(now) + AT_ONCE * abs(end)
            phase = at(clock, now, lost, period)
            h_of_each[:] = h
            step(field, p, phase, h, h_of_each, now_y, k, state, new, fifth, third)
            error = accept(h, rtol, atol, now_y, now_low, size[orbit], k, new, fifth, third, across, 0, 1)
            change = SAFETY * error ** (-1 / 8) if error > 0.0 else LARGEST_FACTOR
            if not error <= 1.0:
                status[orbit] = REJECTED
                following = h * (max(SMALLEST_FACTOR, change) if error == error else SMALLEST_FACTOR)
                continue
            moved = h + lost
            later = end if last else now + moved
            call_into(field, phase + h, new, p, k, STAGES)
            if direction * (times[place[orbit]] - later) < 0:
                prepare(field, p, phase, h, h_of_each, now_y, new, k, state, dense)
            while place[orbit] < times.size and direction * (times[place[orbit]] - later) <= 0:
                if times[place[orbit]] == later:
                    for i in range(n):
                        out[orbit, place[orbit], i] = new[i]
                else:
                    interpolate(dense, (times[place[orbit]] - now) / h, now_y, out[orbit, place[orbit]], 0, 1)
                place[orbit] += 1
            for i in range(n):
                now_y[i], now_low[i], k[0, i] = new[i], third[i], k[STAGES, i]
                size[orbit, i] = max(size[orbit, i], abs(new[i]))
            now, lost = later, moved - (later - now)
            following = h * max(SMALLEST_FACTOR, min(1.0 if status[orbit] == REJECTED else LARGEST_FACTOR, change))
            status[orbit] = DONE if last else RUNNING
        for i in range(n):
            y[orbit, i], low[orbit, i], rate[orbit, i] = now_y[i], now_low[i], k[0, i]
        elapsed[orbit, 0], elapsed[orbit, 1], steps[orbit] = now, lost, following
