"""The stages of a step of the method of Dormand and Prince of order 8, and its dense output.

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
EXACT: dict[str, Any] = {"error_model": "numpy"}


@loop(**EXACT)
def step(
    field: int,
    p: Array,
    phase: float,
    dt: float,
    h: Array,
    y: Array,
    k: Array,
    state: Array,
    new: Array,
    fifth: Array,
    third: Array,
) -> None:
    """Write the change of the states in a step, divided by h, and two estimates of its error; k[0] is the field at y.

    Each element of the states has a step h of its own, as several orbits may lie side by side. The field's time moves by dt.
    """
    n = y.size
    for i in range(n):
        state[i] = y[i] + h[i] * (A[1, 0] * k[0, i])
    call_into(field, phase + C[1] * dt, state, p, k, 1)
    for i in range(n):
        state[i] = y[i] + h[i] * (A[2, 0] * k[0, i] + A[2, 1] * k[1, i])
    call_into(field, phase + C[2] * dt, state, p, k, 2)
    for i in range(n):
        state[i] = y[i] + h[i] * (A[3, 0] * k[0, i] + A[3, 2] * k[2, i])
    call_into(field, phase + C[3] * dt, state, p, k, 3)
    for i in range(n):
        state[i] = y[i] + h[i] * (A[4, 0] * k[0, i] + A[4, 2] * k[2, i] + A[4, 3] * k[3, i])
    call_into(field, phase + C[4] * dt, state, p, k, 4)
    for i in range(n):
        state[i] = y[i] + h[i] * (A[5, 0] * k[0, i] + A[5, 3] * k[3, i] + A[5, 4] * k[4, i])
    call_into(field, phase + C[5] * dt, state, p, k, 5)
    for i in range(n):
        state[i] = y[i] + h[i] * (A[6, 0] * k[0, i] + A[6, 3] * k[3, i] + A[6, 4] * k[4, i] + A[6, 5] * k[5, i])
    call_into(field, phase + C[6] * dt, state, p, k, 6)
    for i in range(n):
        state[i] = y[i] + h[i] * (
            A[7, 0] * k[0, i] + A[7, 3] * k[3, i] + A[7, 4] * k[4, i] + A[7, 5] * k[5, i] + A[7, 6] * k[6, i]
        )
    call_into(field, phase + C[7] * dt, state, p, k, 7)
    for i in range(n):
        state[i] = y[i] + h[i] * (
            A[8, 0] * k[0, i]
            + A[8, 3] * k[3, i]
            + A[8, 4] * k[4, i]
            + A[8, 5] * k[5, i]
            + A[8, 6] * k[6, i]
            + A[8, 7] * k[7, i]
        )
    call_into(field, phase + C[8] * dt, state, p, k, 8)
    for i in range(n):
        state[i] = y[i] + h[i] * (
            A[9, 0] * k[0, i]
            + A[9, 3] * k[3, i]
            + A[9, 4] * k[4, i]
            + A[9, 5] * k[5, i]
            + A[9, 6] * k[6, i]
            + A[9, 7] * k[7, i]
            + A[9, 8] * k[8, i]
        )
    call_into(field, phase + C[9] * dt, state, p, k, 9)
    for i in range(n):
        state[i] = y[i] + h[i] * (
            A[10, 0] * k[0, i]
            + A[10, 3] * k[3, i]
            + A[10, 4] * k[4, i]
            + A[10, 5] * k[5, i]
            + A[10, 6] * k[6, i]
            + A[10, 7] * k[7, i]
            + A[10, 8] * k[8, i]
            + A[10, 9] * k[9, i]
        )
    call_into(field, phase + C[10] * dt, state, p, k, 10)
    for i in range(n):
        state[i] = y[i] + h[i] * (
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
    call_into(field, phase + C[11] * dt, state, p, k, 11)
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
def prepare(
    field: int,
    p: Array,
    phase: float,
    dt: float,
    h: Array,
    y: Array,
    new: Array,
    k: Array,
    state: Array,
    dense: Array,
) -> None:
    """Write the coefficients of the dense output of a step, which has order 7; k[12] is the field at its end."""
    n = y.size
    for i in range(n):
        state[i] = y[i] + h[i] * (
            EXTRA[0, 0] * k[0, i]
            + EXTRA[0, 6] * k[6, i]
            + EXTRA[0, 7] * k[7, i]
            + EXTRA[0, 8] * k[8, i]
            + EXTRA[0, 9] * k[9, i]
            + EXTRA[0, 10] * k[10, i]
            + EXTRA[0, 11] * k[11, i]
            + EXTRA[0, 12] * k[12, i]
        )
    call_into(field, phase + C_EXTRA[0] * dt, state, p, k, 13)
    for i in range(n):
        state[i] = y[i] + h[i] * (
            EXTRA[1, 0] * k[0, i]
            + EXTRA[1, 5] * k[5, i]
            + EXTRA[1, 6] * k[6, i]
            + EXTRA[1, 7] * k[7, i]
            + EXTRA[1, 10] * k[10, i]
            + EXTRA[1, 11] * k[11, i]
            + EXTRA[1, 12] * k[12, i]
            + EXTRA[1, 13] * k[13, i]
        )
    call_into(field, phase + C_EXTRA[1] * dt, state, p, k, 14)
    for i in range(n):
        state[i] = y[i] + h[i] * (
            EXTRA[2, 0] * k[0, i]
            + EXTRA[2, 5] * k[5, i]
            + EXTRA[2, 6] * k[6, i]
            + EXTRA[2, 7] * k[7, i]
            + EXTRA[2, 8] * k[8, i]
            + EXTRA[2, 12] * k[12, i]
            + EXTRA[2, 13] * k[13, i]
            + EXTRA[2, 14] * k[14, i]
        )
    call_into(field, phase + C_EXTRA[2] * dt, state, p, k, 15)
    for i in range(n):
        delta = new[i] - y[i]
        dense[0, i] = delta
        dense[1, i] = h[i] * k[0, i] - delta
        dense[2, i] = 2 * delta - h[i] * (k[12, i] + k[0, i])
        dense[3, i] = h[i] * (
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
        dense[4, i] = h[i] * (
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
        dense[5, i] = h[i] * (
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
        dense[6, i] = h[i] * (
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
