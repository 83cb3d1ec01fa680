"""The functions of neurons in double precision, compiled: values and derivatives along a stretch of memory."""

from __future__ import annotations

from math import erf, exp, log1p, pi, sin, sqrt
from typing import Any

import numpy as np

from physlearn.activations.compiled import (
    ELU,
    GELU,
    IDENTITY,
    RAMP,
    RELU,
    SIGMOID,
    SILU,
    SINE,
    SOFTPLUS,
    SQUARE,
    TABLE,
    TANH,
)
from systems.compiled.loops import Array, loop

EXACT: dict[str, Any] = {"error_model": "numpy"}
FUSED: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}  # of functions that are not inlined elsewhere
TWO_OVER_PI, PI_1, PI_2, PI_3 = 2 / pi, 1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624879595063154e-21
TO_INTEGER = 1.5 * 2.0**52  # a number to which whole numbers are added without loss, and all others rounded
LARGEST_ANGLE = 2.0**20  # beyond this, the parts of pi / 2 have too few digits
# minimax polynomials of sin and cos up to pi / 4, from fdlibm
S1, S2, S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
S4, S5, S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
C1, C2, C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
C4, C5, C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11
LOG2_E, LN2_1, LN2_2 = 1.4426950408889634, 6.93145751953125e-1, 1.42860682030941723212e-6
FARTHEST = 708.0  # e^-708 is close to the smallest normal number
BIAS, MANTISSA = np.int64(1023), np.int64(52)
# rational approximation of e^r for abs(r) <= ln(2) / 2, from Cephes
P0, P1, P2 = 1.26177193074810590878e-4, 3.02994407707441961300e-2, 9.99999999999999999910e-1
Q0, Q1, Q2, Q3 = 3.00198505138664455042e-6, 2.52448340349684104192e-3, 2.27265548208155028766e-1, 2.0


@loop(inline="always", **FUSED)
def quarter_sine(x: float, quarters: float) -> float:
    """Return sin(x + quarters pi / 2) for a moderate x, to about one unit in the last place."""
    n = (x * TWO_OVER_PI + TO_INTEGER) - TO_INTEGER
    r = ((x - n * PI_1) - n * PI_2) - n * PI_3
    z = r * r
    s = r + r * z * (S1 + z * (S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))))
    c = 1.0 - 0.5 * z + z * z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6)))))
    halves = 0.5 * (n + quarters)
    whole = np.floor(halves)
    sign = 1.0 - 4.0 * (0.5 * whole - np.floor(0.5 * whole))
    return sign * (c if halves != whole else s)


@loop(**FUSED)
def sines(order: int, x: Array, out: Array) -> None:
    """Write the derivative of the sine, which is the sine a quarter of a turn later for each order."""
    large = 0
    for i in range(x.size):
        large += 0 if abs(x[i]) <= LARGEST_ANGLE else 1
    if large == 0:
        for i in range(x.size):
            out[i] = quarter_sine(x[i], float(order))
    else:
        for i in range(x.size):
            out[i] = sin(x[i]) if order == 0 else np.cos(x[i]) if order == 1 else -sin(x[i])


@loop(inline="always", **FUSED)
def decay(x: float) -> float:
    """Return exp(-x) for x >= 0, to about one unit in the last place; NaN stays."""
    y = -x if x < FARTHEST else -FARTHEST
    y = y if x == x else x
    shifted = y * LOG2_E + TO_INTEGER
    n = shifted - TO_INTEGER
    r = (y - n * LN2_1) - n * LN2_2
    z = r * r
    odd = r * (P2 + z * (P1 + z * P0))
    value = 1.0 + 2.0 * odd / ((Q3 + z * (Q2 + z * (Q1 + z * Q0))) - odd)
    return value * np.int64((np.float64(shifted).view(np.int64) + BIAS) << MANTISSA).view(np.float64)


@loop(**FUSED)
def tanhs(order: int, x: Array, out: Array) -> None:
    """Write a derivative of the hyperbolic tangent."""
    for i in range(x.size):
        small = decay(2.0 * abs(x[i]))
        size = (1.0 - small) / (1.0 + small)
        t = size if x[i] > 0.0 else -size
        slope = 4.0 * small / ((1.0 + small) * (1.0 + small))
        out[i] = t if order == 0 else slope if order == 1 else -2.0 * t * slope


@loop(**FUSED)
def logistics(order: int, factor: bool, x: Array, out: Array) -> None:
    """Write a derivative of 1 / (1 + exp(-x)), or of its product with x."""
    for i in range(x.size):
        small = decay(abs(x[i]))
        above = 1.0 / (1.0 + small)
        s = above if x[i] >= 0.0 else small * above
        slope = small * above * above
        curve = slope * (1.0 - 2.0 * s)
        if factor:
            out[i] = x[i] * s if order == 0 else s + x[i] * slope if order == 1 else 2.0 * slope + x[i] * curve
        else:
            out[i] = s if order == 0 else slope if order == 1 else curve


@loop(**EXACT)
def other(code: int, order: int, x: float) -> float:
    """Return a derivative of a function that is neither a sine nor a table."""
    if code == SOFTPLUS:
        return max(x, 0.0) + log1p(exp(-abs(x)))
    if code == GELU:
        below, density = 0.5 * (1.0 + erf(x / sqrt(2.0))), exp(-x * x / 2) / sqrt(2 * pi)
        return x * below if order == 0 else below + x * density if order == 1 else density * (2 - x * x)
    if code == ELU:
        small = exp(min(x, 0.0))
        return (x if x > 0 else small - 1.0) if order == 0 else small if order == 1 or x < 0 else 0.0
    if code == RELU:
        return max(x, 0.0) if order == 0 else (1.0 if x > 0 else 0.0) if order == 1 else 0.0
    if code == RAMP:
        return max(-1.0, min(x, 1.0)) if order == 0 else (1.0 if abs(x) < 1 else 0.0) if order == 1 else 0.0
    linear, square = (1.0 if code == IDENTITY else 0.0), (1.0 if code == SQUARE else 0.0)
    return (linear + square * x) * x if order == 0 else linear + 2 * square * x if order == 1 else 2 * square


@loop(**EXACT)
def table(order: int, numbers: Array, x: Array, out: Array) -> None:
    """Write a derivative of a piecewise cubic: its start, step, number of cells and coefficients are ``numbers``."""
    start, step, last = numbers[0], numbers[1], numbers[2] - 1.0
    for i in range(x.size):
        s = (x[i] - start) / step
        cell = max(0.0, min(np.floor(s), last)) if s == s else 0.0
        u, at = s - cell, 3 + 4 * int(cell)
        a, b, c, d = numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]
        if order == 0:
            out[i] = a + u * (b + u * (c + u * d))
        elif order == 1:
            out[i] = (b + u * (2 * c + 3 * u * d)) / step
        else:
            out[i] = (2 * c + 6 * u * d) / step / step


@loop(**EXACT)
def activate(code: int, order: int, numbers: Array, x: Array, out: Array) -> None:
    """Write the derivative of an order from 0 to 2 of the function with this code, at x, into ``out``.

    ``numbers`` are those of a table. Codes are `physlearn.activations.compiled.CODES`.
    """
    if code == SINE:
        sines(order, x, out)
    elif code == TABLE:
        table(order, numbers, x, out)
    elif code == TANH:
        tanhs(order, x, out)
    elif code == SIGMOID:
        logistics(order, False, x, out)
    elif code == SILU:
        logistics(order, True, x, out)
    elif code == SOFTPLUS and order > 0:
        logistics(order - 1, False, x, out)
    else:
        for i in range(x.size):
            out[i] = other(code, order, x[i])
