"""Sine, cosine and exponential function for compiled loops, which the compiler can compute for several numbers at once.

The functions of the system's library are called one by one, and take most of the time of a field that contains them.
"""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from systems.compiled.loops import loop

INLINED: dict[str, Any] = {"forceinline": True, "error_model": "numpy"}
TO_INTEGER = 1.5 * 2.0**52  # a number to which whole numbers are added without loss, and all others rounded
TWO_OVER_PI, PI_1, PI_2 = 2 / pi, 1.5707963267948966, 6.123233995736766e-17  # pi / 2 in two parts
LARGEST_ANGLE = 2.0**50  # such numbers are an eighth of a radian apart
# minimax polynomials of sin and cos up to pi / 4, from fdlibm
S1, S2, S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
S4, S5, S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
C1, C2, C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
C4, C5, C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11
LOG2_E, LN2_1, LN2_2 = 1.4426950408889634, 6.93145751953125e-1, 1.42860682030941723212e-6
LOWEST, HIGHEST = -708.0, 709.0  # beyond these, the result is 0 (less than 1e-307) or infinite
BIAS, MANTISSA = np.int64(1023), np.int64(52)
# rational approximation of e^r for abs(r) <= ln(2) / 2, from Cephes
P0, P1, P2 = 1.26177193074810590878e-4, 3.02994407707441961300e-2, 9.99999999999999999910e-1
Q0, Q1, Q2, Q3 = 3.00198505138664455042e-6, 2.52448340349684104192e-3, 2.27265548208155028766e-1, 2.0


def _fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


fma: Any = intrinsic(_fma)  # in compiled code, it is called without the argument ``typing``


@loop(**INLINED)
def turned(x: float, quarters: float) -> float:
    """Return sin(x + quarters pi / 2) to about one unit in the last place; NaN where x has no digits left within a turn."""
    n = (x * TWO_OVER_PI + TO_INTEGER) - TO_INTEGER
    r = fma(-n, PI_2, fma(-n, PI_1, x))  # the inner difference is exact
    z = r * r
    s = fma(r * z, fma(z, fma(z, fma(z, fma(z, fma(z, S6, S5), S4), S3), S2), S1), r)
    c = fma(z * z, fma(z, fma(z, fma(z, fma(z, fma(z, C6, C5), C4), C3), C2), C1), fma(z, -0.5, 1.0))
    halves = 0.5 * (n + quarters)
    whole = np.floor(halves)
    sign = 1.0 - 4.0 * (0.5 * whole - np.floor(0.5 * whole))
    value = sign * (c if halves != whole else s)
    return value if abs(x) <= LARGEST_ANGLE else np.nan


@loop(**INLINED)
def sine(x: float) -> float:
    """Return sin(x)."""
    return turned(x, 0.0)


@loop(**INLINED)
def cosine(x: float) -> float:
    """Return cos(x)."""
    return turned(x, 1.0)


@loop(**INLINED)
def exponential(x: float) -> float:
    """Return exp(x) to about one unit in the last place."""
    y = x if x > LOWEST else LOWEST
    y = y if y < HIGHEST else HIGHEST
    shifted = y * LOG2_E + TO_INTEGER
    n = shifted - TO_INTEGER
    r = fma(-n, LN2_2, fma(-n, LN2_1, y))
    z = r * r
    odd = r * fma(z, fma(z, P0, P1), P2)
    value = 1.0 + 2.0 * odd / (fma(z, fma(z, fma(z, Q0, Q1), Q2), Q3) - odd)
    value *= np.int64((np.float64(shifted).view(np.int64) + BIAS) << MANTISSA).view(np.float64)
    value = value if x >= LOWEST else 0.0
    value = value if x <= HIGHEST else np.inf
    return value if x == x else np.nan
