"""The functions of neurons in double precision, compiled: values and derivatives along a stretch of memory."""

from __future__ import annotations

from math import erf, exp, log1p, pi, sqrt
from typing import Any

import numpy as np

from physlearn.activations.compiled import (
    CUBE,
    ELU,
    EXP,
    GAUSSIAN,
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
from physlearn.activations.trained.rational import SCALE
from systems.compiled.elementary import exponential, turned
from systems.compiled.loops import Array, loop

RATIONAL = TABLE + 1
"""The code of a quotient of polynomials, `physlearn.activations.Rational`, whose coefficients are ``numbers``. In double
precision, all tables have the code TABLE."""
EXACT: dict[str, Any] = {"error_model": "numpy"}


@loop(**EXACT)
def sines(order: int, x: Array, out: Array) -> None:
    """Write a derivative of the sine, which is the sine a quarter of a turn later for each order."""
    for i in range(x.size):
        out[i] = turned(x[i], float(order))


@loop(**EXACT)
def _tanhs(order: int, x: Array, out: Array) -> None:
    """Write a derivative of the hyperbolic tangent."""
    for i in range(x.size):
        small = exponential(-2.0 * abs(x[i]))
        size = (1.0 - small) / (1.0 + small)
        t = size if x[i] > 0.0 else -size
        slope = 4.0 * small / ((1.0 + small) * (1.0 + small))
        out[i] = t if order == 0 else slope if order == 1 else -2.0 * t * slope


@loop(**EXACT)
def _logistics(order: int, factor: bool, x: Array, out: Array) -> None:
    """Write a derivative of 1 / (1 + exp(-x)), or of its product with x."""
    for i in range(x.size):
        small = exponential(-abs(x[i]))
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
    if code == EXP:
        return exp(x)
    if code == GAUSSIAN:
        bell = exp(-x * x / 2)
        return bell if order == 0 else -x * bell if order == 1 else (x * x - 1) * bell
    linear, square, cube = (1.0 if code == IDENTITY else 0.0), (1.0 if code == SQUARE else 0.0), (1.0 if code == CUBE else 0.0)
    if order == 0:
        return (linear + (square + cube * x) * x) * x
    return linear + (2 * square + 3 * cube * x) * x if order == 1 else 2 * square + 6 * cube * x


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
def _rationals(order: int, numbers: Array, x: Array, out: Array) -> None:
    """Write a derivative of a quotient of polynomials; see `physlearn.activations.Rational`."""
    b_1, b_2, b_3 = numbers[6], numbers[7], numbers[8]
    for i in range(x.size):
        u = x[i] / SCALE
        p = p_1 = half = 0.0
        for j in range(5, -1, -1):
            half = half * u + p_1
            p_1 = p_1 * u + p
            p = p * u + numbers[j]
        d, d_1, c, c_1 = (b_1 + b_2 * u) * u, b_1 + 2 * b_2 * u, b_3 * u * u, 2 * b_3 * u
        q = 1 + d * d + c * c
        q_1 = 2 * (d * d_1 + c * c_1)
        value = p / q
        first = (p_1 - value * q_1) / q
        q_2 = 2 * (d_1 * d_1 + 2 * b_2 * d + c_1 * c_1 + 2 * b_3 * c)
        second = (2 * half - 2 * first * q_1 - value * q_2) / q
        out[i] = value if order == 0 else first / SCALE if order == 1 else second / SCALE / SCALE


@loop(**EXACT)
def activate(code: int, order: int, numbers: Array, x: Array, out: Array) -> None:
    """Write the derivative of an order from 0 to 2 of the function with this code, at x, into ``out``.

    ``numbers`` are those of a table or a quotient. Codes are `physlearn.activations.compiled.CODES`, and `RATIONAL`.
    """
    if code == SINE:
        sines(order, x, out)
    elif code == TABLE:
        table(order, numbers, x, out)
    elif code == RATIONAL:
        _rationals(order, numbers, x, out)
    elif code == TANH:
        _tanhs(order, x, out)
    elif code == SIGMOID:
        _logistics(order, False, x, out)
    elif code == SILU:
        _logistics(order, True, x, out)
    elif code == SOFTPLUS and order > 0:
        _logistics(order - 1, False, x, out)
    else:
        for i in range(x.size):
            out[i] = other(code, order, x[i])
