"""The adaptive method of Dormand and Prince of order 8 for orbits side by side, each of which takes its own steps."""

from __future__ import annotations

import numpy as np

from systems.compiled.dop853 import (
    DONE,
    LARGEST_FACTOR,
    LOST,
    REJECTED,
    RUNNING,
    SAFETY,
    SMALLEST,
    SMALLEST_FACTOR,
    accept,
    interpolate,
)
from systems.compiled.dop853_stages import EXACT, STAGES, prepare, step
from systems.compiled.function import LANES
from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into
from systems.reference.jumps import ACROSS, AT_ONCE


@loop(**EXACT)
def hand_back(
    orbit: int,
    lane: int,
    now_y: Array,
    now_low: Array,
    k: Array,
    now_size: Array,
    y: Array,
    low: Array,
    rate: Array,
    size: Array,
) -> None:
    """Write what describes the orbit in a lane to its place among all orbits."""
    for i in range(y.shape[1]):
        e = i * LANES + lane
        y[orbit, i], low[orbit, i], rate[orbit, i], size[orbit, i] = now_y[e], now_low[e], k[0, e], now_size[e]


@loop(nogil=True, **EXACT)
def follow_lanes(
    field: int,
    p: Array,
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
    """Do what `systems.compiled.dop853.follow` does, to the last bit, for a field that does not depend on time.

    The orbits lie side by side in the lanes of the processor. Where an orbit ends, the next one takes its lane. ``field`` is
    the address of the code for ``LANES`` states; the other parameters are those of `systems.compiled.dop853.follow`.
    """
    dim, end = y.shape[1], times[-1]
    n = dim * LANES
    direction = 1.0 if end > 0 else -1.0
    k = np.zeros((STAGES + 4, n))
    state, new, fifth, third = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    now_y, now_low, now_size, h_of_each = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    dense = np.zeros((7, n))
    orbits, taken = np.full(LANES, -1), np.zeros(LANES, dtype=np.int64)
    last, moves = np.zeros(LANES, dtype=np.bool_), np.zeros(LANES, dtype=np.bool_)
    h, changes, later = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    following = 0  # the next orbit that gets a lane
    while True:
        busy = False
        for lane in range(LANES):
            orbit = orbits[lane]
            if orbit >= 0 and (status[orbit] > RUNNING or taken[lane] == most):
                hand_back(orbit, lane, now_y, now_low, k, now_size, y, low, rate, size)
                orbit = orbits[lane] = -1
            while True:
                if orbit < 0:
                    while following < y.shape[0] and status[following] > RUNNING:
                        following += 1
                    if following == y.shape[0]:
                        h[lane] = 0.0
                        break
                    orbit = orbits[lane] = following
                    following += 1
                    taken[lane] = 0
                    for i in range(dim):
                        e = i * LANES + lane
                        now_y[e], now_low[e], k[0, e], now_size[e] = y[orbit, i], low[orbit, i], rate[orbit, i], size[orbit, i]
                now, lost = elapsed[orbit, 0], elapsed[orbit, 1]
                h[lane] = steps[orbit]
                last[lane] = direction * (now + h[lane] - end) >= 0
                if last[lane]:
                    h[lane] = end - now - lost
                if abs(h[lane]) > SMALLEST * abs(now):
                    busy = True
                    break
                status[orbit] = LOST  # also if the step is not a number
                hand_back(orbit, lane, now_y, now_low, k, now_size, y, low, rate, size)
                orbit = orbits[lane] = -1
            for i in range(dim):
                h_of_each[i * LANES + lane] = h[lane]
        if not busy:
            return
        step(field, p, clock, 0.0, h_of_each, now_y, k, state, new, fifth, third)
        inside = False
        for lane in range(LANES):
            moves[lane] = False
            orbit = orbits[lane]
            if orbit < 0:
                continue
            taken[lane] += 1
            across = ACROSS * abs(elapsed[orbit, 0]) + AT_ONCE * abs(end)
            error = accept(h[lane], rtol, atol, now_y, now_low, now_size, k, new, fifth, third, across, lane, LANES)
            changes[lane] = SAFETY * error ** (-1 / 8) if error > 0.0 else LARGEST_FACTOR
            if not error <= 1.0:
                status[orbit] = REJECTED
                steps[orbit] = h[lane] * (max(SMALLEST_FACTOR, changes[lane]) if error == error else SMALLEST_FACTOR)
                continue
            moves[lane] = True
            later[lane] = end if last[lane] else elapsed[orbit, 0] + (h[lane] + elapsed[orbit, 1])
            inside |= direction * (times[place[orbit]] - later[lane]) < 0
        call_into(field, clock, new, p, k, STAGES)
        if inside:
            prepare(field, p, clock, 0.0, h_of_each, now_y, new, k, state, dense)
        for lane in range(LANES):
            if not moves[lane]:
                continue
            orbit = orbits[lane]
            now, moved = elapsed[orbit, 0], h[lane] + elapsed[orbit, 1]
            while place[orbit] < times.size and direction * (times[place[orbit]] - later[lane]) <= 0:
                if times[place[orbit]] == later[lane]:
                    for i in range(dim):
                        out[orbit, place[orbit], i] = new[i * LANES + lane]
                else:
                    share = (times[place[orbit]] - now) / h[lane]
                    interpolate(dense, share, now_y, out[orbit, place[orbit]], lane, LANES)
                place[orbit] += 1
            for i in range(dim):
                e = i * LANES + lane
                now_y[e], now_low[e], k[0, e] = new[e], third[e], k[STAGES, e]
                now_size[e] = max(now_size[e], abs(new[e]))
            elapsed[orbit, 0], elapsed[orbit, 1] = later[lane], moved - (later[lane] - now)
            steps[orbit] = h[lane] * max(
                SMALLEST_FACTOR, min(1.0 if status[orbit] == REJECTED else LARGEST_FACTOR, changes[lane])
            )
            status[orbit] = DONE if last[lane] else RUNNING
