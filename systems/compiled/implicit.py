"""Implicit methods, compiled: fixed-point sweeps, and Newton's method where they contract too slowly.

The states of several orbits lie side by side, as in `systems.compiled.fixed_step`. Each orbit stops when it has converged, so
that its result does not depend on the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into

Scheme = tuple[Array, Array, Array]  # the matrix and the nodes, and which coordinates count in the stages
EXACT: dict[str, Any] = {"error_model": "numpy"}
EPSILON = float(np.finfo(float).eps)
MOST_SWEEPS = 50
MOST_NEWTON_STEPS = 20
SLOW = 0.7  # if a sweep reduces the change by less than this factor, Newton's method takes over
STALLED = 1000 * EPSILON  # a smaller change that no longer shrinks is due to rounding
ACTIVE, SETTLED, TOO_SLOW = 0, 1, 2


@loop(**EXACT)
def increments(
    field: int, p: Array, t: float, dt: float, scheme: Scheme, y: Array, x: Array, state: Array, new: Array
) -> None:
    """Write dt times the field at the stages whose increments are x into ``new``."""
    a, c, mask = scheme
    for stage in range(c.size):
        for i in range(y.size):
            state[i] = y[i]
        for other in range(c.size):
            weight = a[stage, other]
            for i in range(y.size):
                state[i] += weight * mask[i] * x[other, i]
        call_into(field, t + c[stage] * dt, state, p, new, stage)
        for i in range(y.size):
            new[stage, i] *= dt


@loop(**EXACT)
def sweep(
    field: int, p: Array, t: float, dt: float, scheme: Scheme, y: Array, lanes: int, tolerance: float, size: Array,
    lost: Array, x: Array, state: Array, new: Array, status: Array, previous: Array, change: Array,
) -> bool:  # fmt: skip
    """Solve x = increments(x) by sweeps; return whether all orbits have settled, and tell in ``status`` which have not."""
    stages, n = scheme[1].size, y.size
    call_into(field, t, y, p, new, 0)
    for i in range(n):
        first = dt * new[0, i]
        size[i] = max(size[i], abs(y[i]), abs(first))
        for stage in range(stages):
            x[stage, i] = first
    for lane in range(lanes):
        status[lane], previous[lane] = (SETTLED if lost[lane] else ACTIVE), np.inf
    stalled = max(STALLED, tolerance)
    for _ in range(MOST_SWEEPS):
        increments(field, p, t, dt, scheme, y, x, state, new)
        for i in range(n):
            if size[i] == 0.0:  # a coordinate that was at rest at zero
                for stage in range(stages):
                    size[i] = max(size[i], abs(new[stage, i]))
        for lane in range(lanes):
            change[lane] = 0.0
        for stage in range(stages):
            for i in range(0, n, lanes):
                for lane in range(lanes):
                    moved = abs(new[stage, i + lane] - x[stage, i + lane])
                    relative = moved / size[i + lane] if moved > 0.0 else moved  # NaN stays
                    if not relative <= change[lane]:
                        change[lane] = relative
        running = False
        for stage in range(stages):
            for i in range(0, n, lanes):
                for lane in range(lanes):
                    if status[lane] == ACTIVE:
                        x[stage, i + lane] = new[stage, i + lane]
        for lane in range(lanes):
            if status[lane] != ACTIVE:
                continue
            if change[lane] <= tolerance or (change[lane] >= previous[lane] and change[lane] <= stalled):
                status[lane] = SETTLED
            elif not change[lane] <= SLOW * previous[lane]:
                status[lane] = TOO_SLOW
            else:
                running = True
            previous[lane] = change[lane]
        if not running:
            break
    done = True
    for lane in range(lanes):
        if status[lane] != SETTLED:
            status[lane], done = TOO_SLOW, False
    return done


@loop(**EXACT)
def eliminate(matrix: Array, right: Array) -> None:
    """Solve a linear equation in place by Gaussian elimination with pivots; the solution takes the place of the right side."""
    n = right.size
    for column in range(n):
        pivot = column
        for row in range(column + 1, n):
            if abs(matrix[row, column]) > abs(matrix[pivot, column]):
                pivot = row
        for other in range(column, n):
            matrix[column, other], matrix[pivot, other] = matrix[pivot, other], matrix[column, other]
        right[column], right[pivot] = right[pivot], right[column]
        for row in range(column + 1, n):
            factor = matrix[row, column] / matrix[column, column]
            if factor != 0.0:
                for other in range(column, n):
                    matrix[row, other] -= factor * matrix[column, other]
                right[row] -= factor * right[column]
    for row in range(n - 1, -1, -1):
        for other in range(row + 1, n):
            right[row] -= matrix[row, other] * right[other]
        right[row] /= matrix[row, row]


@loop(**EXACT)
def _newton(
    field: int,
    jacobian: int,
    p: Array,
    p_jacobian: Array,
    t: float,
    dt: float,
    scheme: Scheme,
    y: Array,
    tolerance: float,
    size: Array,
    x: Array,
) -> bool:
    """Solve x = increments(x) of one orbit by Newton's method; return whether it converged."""
    a, c, mask = scheme
    stages, n = c.size, y.size
    state, new, slopes = np.zeros(n), np.zeros((stages, n)), np.zeros((stages, n * n))
    matrix, right = np.zeros((stages * n, stages * n)), np.zeros(stages * n)
    call_into(field, t, y, p, new, 0)
    for i in range(n):
        for stage in range(stages):
            x[stage, i] = dt * new[0, i]
    previous = np.inf
    for _ in range(MOST_NEWTON_STEPS):
        increments(field, p, t, dt, scheme, y, x, state, new)
        for stage in range(stages):
            for i in range(n):
                state[i] = y[i]
            for other in range(stages):
                for i in range(n):
                    state[i] += a[stage, other] * mask[i] * x[other, i]
            call_into(jacobian, t + c[stage] * dt, state, p_jacobian, slopes, stage)
            for i in range(n):
                right[stage * n + i] = new[stage, i] - x[stage, i]
                for other in range(stages):
                    for j in range(n):
                        slope = -dt * a[stage, other] * mask[j] * slopes[stage, i * n + j]
                        matrix[stage * n + i, other * n + j] = slope + (1.0 if stage == other and i == j else 0.0)
        eliminate(matrix, right)
        change = 0.0
        for stage in range(stages):
            for i in range(n):
                moved = right[stage * n + i]
                x[stage, i] += moved
                relative = abs(moved) / size[i] if moved != 0.0 else 0.0
                if not relative <= change:
                    change = relative
        if change <= tolerance or (change >= previous and change <= max(STALLED, tolerance)):
            return True
        if not change < np.inf:
            return False
        previous = change
    return False


@loop(**EXACT)
def _rescue(
    field: int, jacobian: int, p: Array, p_jacobian: Array, t: float, dt: float, scheme: Scheme, y: Array, lanes: int,
    tolerance: float, size: Array, lost: Array, x: Array, status: Array,
) -> None:  # fmt: skip
    """Apply Newton's method to the orbits whose sweeps were too slow; those that do not converge are lost, and NaN."""
    a, c, mask = scheme
    stages, dim = c.size, y.size // lanes
    one, one_size, one_mask, one_x = np.zeros(dim), np.zeros(dim), np.zeros(dim), np.zeros((stages, dim))
    for i in range(dim):
        one_mask[i] = mask[i * lanes]
    for lane in range(lanes):
        if status[lane] == TOO_SLOW:
            for i in range(dim):
                one[i], one_size[i] = y[i * lanes + lane], size[i * lanes + lane]
            lost[lane] = not _newton(field, jacobian, p, p_jacobian, t, dt, (a, c, one_mask), one, tolerance, one_size, one_x)
            for stage in range(stages):
                for i in range(dim):
                    x[stage, i * lanes + lane] = np.nan if lost[lane] else one_x[stage, i]


@loop(nogil=True, **EXACT)
def run(
    wide: int, field: int, jacobian: int, p: Array, p_jacobian: Array, period: float, clock: float, since: Array,
    lengths: Array, counts: Array, scheme: Scheme, b: Array, lanes: int, tolerance: float, apart: int,
    begin: int, end: int, taken: int, y: Array, size: Array, lost: Array, out: Array, samples: Array,
) -> int:  # fmt: skip
    """Integrate as `systems.compiled.fixed_step.run` does; return the number of steps so far.

    Parameters
    ----------
    wide, field, jacobian
        Addresses of the field for all orbits, of the field for one orbit, and of its Jacobian for one orbit.
    p, p_jacobian
        Parameters of the field, and of its Jacobian.
    scheme, b
        The method: its matrix and nodes, 1 for each coordinate (M,) whose increments count in the stages and 0 for others, and
        its weights.
    lanes
        Number of orbits side by side.
    tolerance
        Tolerance of the solution of a step, relative to the size of each coordinate.
    size : shape (M,)
        The largest sizes of the coordinates so far, which are updated.
    lost : shape (lanes,)
        Whether a step of the orbit did not converge, which is updated. The states of such orbits are NaN.
    """
    stages, n = b.size, y.size
    x, new, state = np.zeros((stages, n)), np.zeros((stages, n)), np.zeros(n)
    status, previous, change = np.zeros(lanes, dtype=np.int64), np.zeros(lanes), np.zeros(lanes)
    for place in range(begin, end):
        dt = lengths[place]
        for j in range(counts[place]):
            elapsed = since[place] + j * dt
            t = clock + elapsed if period == 0.0 else np.remainder(clock + elapsed, period)
            if taken % apart == 0:
                for i in range(n):
                    samples[taken // apart, i] = y[i]
            if not sweep(wide, p, t, dt, scheme, y, lanes, tolerance, size, lost, x, state, new, status, previous, change):
                _rescue(field, jacobian, p, p_jacobian, t, dt, scheme, y, lanes, tolerance, size, lost, x, status)
            for stage in range(stages):
                for i in range(n):
                    y[i] += b[stage] * x[stage, i]
            taken += 1
        for i in range(n):
            out[place + 1, i] = y[i]
    return taken
