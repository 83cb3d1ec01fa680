"""Activation functions as compiled loops: value, first and second derivatives of a whole vector at once, in float32.

The code is written so that the compiler vectorises every loop by itself: it has range reductions and polynomials instead of
calls to a mathematical library, and selections instead of branches. A NaN results in NaN, in the derivatives as well. So does
an infinity, which should not occur in a network, unless the function itself is infinite there.

A table is a piecewise cubic polynomial with coefficients ``(cells, 4)`` of the powers of u = s - i, where s = (x - start) *
inverse_step. Row i + 1 applies to the cell i = floor(s), from -1 to cells - 2. The first and the last row, which are meant to
be linear, extend to infinity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from systems.compiled.loops import Array, loop

NAMES = ("sine", "tanh", "relu", "identity", "square", "cube", "zero", "ramp", "sigmoid", "silu", "elu", "softplus", "gelu",
         "gaussian", "exp", "table")  # fmt: skip
CODES: dict[str, int] = {name: code for code, name in enumerate(NAMES)}
"""The code of each function; "table" comes last, so that ``CODES["table"] + k`` can denote table k."""

SINE, TANH, RELU, IDENTITY, SQUARE, CUBE, ZERO, RAMP, SIGMOID, SILU, ELU, SOFTPLUS, GELU, GAUSSIAN, EXP, TABLE = range(
    len(NAMES)
)

FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums in any order; never nnan or ninf, which would hide divergence
EXACT = {"contract"}  # for range reductions, which depend on the order of their rounding errors
INLINED: dict[str, Any] = {"error_model": "numpy", "nogil": True, "forceinline": True}
"""Options of every function that the loops call: it is inlined into its caller. Otherwise the compiler keeps one version of
each long function per caller, and which of them runs, with its own rounding errors, depends on what else the process has
compiled."""

Derivatives = tuple[np.float32, np.float32, np.float32]  # a value and its first and second derivatives

_f = np.float32
_i = np.int32
ZERO32, HALF, ONE, TWO, THREE = _f(0), _f(0.5), _f(1), _f(2), _f(3)
TO_INTEGER = _f(1.5 * 2**23)  # adding and subtracting it rounds to an integer; the bits of the sum hold the integer
TWO_OVER_PI = _f(2 / np.pi)
PI_1, PI_2, PI_3 = _f(1.5703125), _f(4.837512969970703125e-4), _f(7.54978995489188216e-8)  # parts of pi / 2, few digits each
EIGHTH = _f(0.786)  # slightly more than pi / 4
SIN_1, SIN_2, SIN_3 = _f(-1.6666654611e-1), _f(8.3321608736e-3), _f(-1.9515295891e-4)  # Cephes, sinf
COS_1, COS_2, COS_3 = _f(4.166664568298827e-2), _f(-1.388731625493765e-3), _f(2.443315711809948e-5)
LOG2_E, LN2_1, LN2_2 = _f(1.4426950408889634), _f(0.693359375), _f(-2.12194440e-4)
LOWEST = _f(-87)  # e^-87 is close to the smallest normal number
EXP_0, EXP_1, EXP_2 = _f(5.0000001201e-1), _f(1.6666665459e-1), _f(4.1665795894e-2)  # Cephes, expf
EXP_3, EXP_4, EXP_5 = _f(8.3334519073e-3), _f(1.3981999507e-3), _f(1.9875691500e-4)
BIAS, MANTISSA = _i(127), _i(23)
LOG_1, LOG_2, LOG_3, LOG_4, LOG_5, LOG_6, LOG_7 = (_f(2 / (2 * k + 1)) for k in range(1, 8))  # of 2 artanh(w) / w
DENSITY_0 = _f(1 / np.sqrt(2 * np.pi))
MILLS = _f(0.26)  # fitted, with the row below, to (1 - Phi(x)) / phi(x) for x >= 0; the relative error is 3e-8
MILLS_1, MILLS_2, MILLS_3 = _f(0.260085387), _f(0.258224799), _f(0.258257885)
MILLS_4, MILLS_5, MILLS_6 = _f(0.127909836), _f(0.403431219), _f(-0.378365985)
MILLS_7, MILLS_8, MILLS_9 = _f(0.63038964), _f(-0.383082647), _f(0.0764639713)


@loop(**INLINED, fastmath=EXACT)
def _nothing(x: np.float32) -> np.float32:
    """Return 0, or NaN if x is NaN or infinite; added to results that would otherwise hide it."""
    return ZERO32 * x


@loop(**INLINED, fastmath=EXACT)
def _eighth_turn(x: np.float32) -> tuple[np.float32, np.int32]:
    """Return (r, bits), where x = n pi / 2 + r with abs(r) <= pi / 4, and the lowest bits are those of n."""
    shifted = x * TWO_OVER_PI + TO_INTEGER
    n = shifted - TO_INTEGER
    r = ((x - n * PI_1) - n * PI_2) - n * PI_3
    r = -EIGHTH if r < -EIGHTH else r  # for x beyond 1e6, which float32 does not resolve to an eighth of a turn
    r = EIGHTH if r > EIGHTH else r
    return r, np.float32(shifted).view(np.int32)


@loop(**INLINED, fastmath=FAST)
def _sine(x: np.float32) -> Derivatives:
    r, n = _eighth_turn(x)
    z = r * r
    s = r + r * z * (SIN_1 + z * (SIN_2 + z * SIN_3))
    c = ONE - HALF * z + z * z * (COS_1 + z * (COS_2 + z * COS_3))
    swap = (n & 1) != 0
    sine, cosine = (c, s) if swap else (s, c)
    sine = -sine if n & 2 else sine
    cosine = -cosine if (n + 1) & 2 else cosine
    return sine, cosine, -sine


@loop(**INLINED, fastmath=EXACT)
def decay(x: np.float32) -> tuple[np.float32, np.float32]:
    """Return e^x and e^x - 1 for x <= 0, both to full precision, as 2^n e^r with abs(r) <= ln(2) / 2."""
    x = LOWEST if x < LOWEST else x
    shifted = x * LOG2_E + TO_INTEGER
    n = shifted - TO_INTEGER
    r = (x - n * LN2_1) - n * LN2_2
    bits = np.float32(shifted).view(np.int32)
    power = np.int32((bits + BIAS) << MANTISSA).view(np.float32)
    p = r + r * r * (EXP_0 + r * (EXP_1 + r * (EXP_2 + r * (EXP_3 + r * (EXP_4 + r * EXP_5)))))
    return power * p + power, power * p + (power - ONE)


@loop(**INLINED, fastmath=FAST)
def _tanh(x: np.float32) -> Derivatives:
    e, m = decay(-TWO * abs(x))
    q = ONE / (TWO + m)
    t = -m * q
    t = (-t if x < ZERO32 else t) + _nothing(x)
    first = TWO * TWO * e * q * q + _nothing(x)
    return t, first, -TWO * t * first


@loop(**INLINED, fastmath=FAST)
def _logistic(x: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return 1 / (1 + e^-x) with its first and second derivatives, and e^-abs(x)."""
    e, m = decay(-abs(x))
    q = ONE / (ONE + e)
    s = (e * q if x < ZERO32 else q) + _nothing(x)
    first = e * q * q + _nothing(x)
    odd = m * q * first  # m q = -tanh(abs(x) / 2)
    return s, first, (-odd if x < ZERO32 else odd), e


@loop(**INLINED, fastmath=FAST)
def _sigmoid(x: np.float32) -> Derivatives:
    s, first, second, _ = _logistic(x)
    return s, first, second


@loop(**INLINED, fastmath=FAST)
def _silu(x: np.float32) -> Derivatives:
    s, first, second, _ = _logistic(x)
    return x * s, s + x * first, TWO * first + x * second


@loop(**INLINED, fastmath=FAST)
def _softplus(x: np.float32) -> Derivatives:
    s, first, _, e = _logistic(x)
    w = e / (TWO + e)  # log(1 + e) = 2 artanh(w), where w <= 1/3
    z = w * w
    log = w * (TWO + z * (LOG_1 + z * (LOG_2 + z * (LOG_3 + z * (LOG_4 + z * (LOG_5 + z * (LOG_6 + z * LOG_7)))))))
    return (ZERO32 if x <= ZERO32 else x) + log + _nothing(x), s, first


@loop(**INLINED, fastmath=FAST)
def _gelu(x: np.float32) -> Derivatives:
    """Return x Phi, Phi + x phi and (2 - x^2) phi, where phi is the normal density and Phi its integral."""
    x = x + _nothing(x)
    square = x * x
    density = DENSITY_0 * decay(-HALF * square)[0]
    t = ONE / (ONE + MILLS * abs(x))
    ratio = MILLS_6 + t * (MILLS_7 + t * (MILLS_8 + t * MILLS_9))
    ratio = t * (MILLS_1 + t * (MILLS_2 + t * (MILLS_3 + t * (MILLS_4 + t * (MILLS_5 + t * ratio)))))
    beyond = density * ratio
    below = ONE - beyond if x > ZERO32 else beyond
    return x * below, below + x * density, (TWO - square) * density


@loop(**INLINED, fastmath=FAST)
def _elu(x: np.float32) -> Derivatives:
    e, m = decay(ZERO32 if x > ZERO32 else x)
    bad = _nothing(x)
    return (x if x > ZERO32 else m) + bad, e + bad, (e if x < ZERO32 else ZERO32) + bad


@loop(**INLINED, fastmath=FAST)
def _gaussian(x: np.float32) -> Derivatives:
    e = decay(-HALF * x * x)[0] + _nothing(x)
    return e, -x * e, (x * x - ONE) * e


@loop(**INLINED, fastmath=FAST)
def _exp(x: np.float32) -> Derivatives:
    e = decay(-abs(x))[0]
    e = (ONE / e if x > ZERO32 else e) + _nothing(x)
    return e, e, e


@loop(**INLINED, fastmath=FAST)
def _relu(x: np.float32) -> Derivatives:
    bad = _nothing(x)
    return (x if x > ZERO32 else ZERO32) + bad, (ONE if x > ZERO32 else ZERO32) + bad, bad


@loop(**INLINED, fastmath=FAST)
def _ramp(x: np.float32) -> Derivatives:
    bad = _nothing(x)
    inside = min(max(x, -ONE), ONE)
    return inside + bad, (ONE if abs(x) < ONE else ZERO32) + bad, bad


@loop(**INLINED, fastmath=FAST)
def activate(code: int, order: int, a: Array, n: int, low: Array, high: Array, h: int) -> None:
    """Write the derivatives of the given order (0 or 1) and of the next order at ``a[:n]``, of a function that is no table.

    The results are written to ``low[h, :n]`` and ``high[h, :n]``. All arrays are float32 and contiguous, and do not overlap.
    """
    if code == SINE:
        for j in range(n):
            f, d, s = _sine(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == TANH:
        for j in range(n):
            f, d, s = _tanh(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == RELU:
        for j in range(n):
            f, d, s = _relu(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == RAMP:
        for j in range(n):
            f, d, s = _ramp(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == SIGMOID:
        for j in range(n):
            f, d, s = _sigmoid(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == SILU:
        for j in range(n):
            f, d, s = _silu(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == ELU:
        for j in range(n):
            f, d, s = _elu(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == SOFTPLUS:
        for j in range(n):
            f, d, s = _softplus(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == GELU:
        for j in range(n):
            f, d, s = _gelu(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == GAUSSIAN:
        for j in range(n):
            f, d, s = _gaussian(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    elif code == EXP:
        for j in range(n):
            f, d, s = _exp(a[j])
            low[h, j] = f if order == 0 else d
            high[h, j] = d if order == 0 else s
    else:
        # The remaining functions are polynomials, c1 x + c2 x^2 + c3 x^3; all coefficients of the zero function vanish.
        linear = ONE if code == IDENTITY else ZERO32
        square = ONE if code == SQUARE else ZERO32
        cube = ONE if code == CUBE else ZERO32
        for j in range(n):
            x = a[j]
            bad = _nothing(x)
            f = (linear + (square + cube * x) * x) * x
            d = linear + (TWO * square + THREE * cube * x) * x
            s = TWO * square + TWO * THREE * cube * x + bad
            low[h, j] = f if order == 0 else d + bad
            high[h, j] = d + bad if order == 0 else s


@loop(**INLINED, fastmath=EXACT)
def _cell(x: np.float32, shift: np.float32, inverse: np.float32, last: np.float32) -> tuple[np.float32, np.float32]:
    """Return the row of x in the table, as a floating-point number, and u. ``shift`` is the position of x = 0 in rows."""
    t = x * inverse + shift
    t = t if t > ZERO32 else ZERO32  # NaN too, which must not be converted to an integer; u remains NaN
    t = np.floor(t if t < last else last)
    return t, x * inverse + (shift - t)  # shift - t is small near x, so that u has all of its digits


@loop(**INLINED, fastmath=FAST)
def look_up(
    tables: Array, k: int, start: float, inverse: float, order: int, a: Array, n: int, low: Array, high: Array, h: int,
    cells: Array, c: Array,
) -> None:  # fmt: skip
    """Write the same derivatives as `activate`, for table k of ``tables (T, cells, 4)``.

    cells ``(n,)`` int32 and c ``(4 n,)`` float32 are work arrays. The work is split into three loops, because only then does
    the compiler vectorise each of them: locating the cells, loading four neighbouring coefficients at once, and evaluating
    the polynomials by Horner's rule.
    """
    per_step = np.float32(inverse)
    last = np.float32(tables.shape[1] - 1)
    shift = np.float32(1 - np.float64(start) * np.float64(per_step))
    for j in range(n):
        t, high[h, j] = _cell(a[j], shift, per_step, last)
        cells[j] = np.int32(t)
    for j in range(n):
        i = np.uint32(cells[j])  # unsigned, because numba counts negative indices from the end
        c0, c1, c2, c3 = tables[k, i, 0], tables[k, i, 1], tables[k, i, 2], tables[k, i, 3]
        c[4 * j], c[4 * j + 1], c[4 * j + 2], c[4 * j + 3] = c0, c1, c2, c3
    for j in range(n):
        f, d, s = _cubic(high[h, j], c[4 * j], c[4 * j + 1], c[4 * j + 2], c[4 * j + 3], per_step)
        low[h, j] = f if order == 0 else d + _nothing(c[4 * j])  # uses c0: only four neighbours are loaded at once, not three
        high[h, j] = d if order == 0 else s


@loop(**INLINED, fastmath=EXACT)
def _cubic(u: np.float32, c0: np.float32, c1: np.float32, c2: np.float32, c3: np.float32, inverse: np.float32) -> Derivatives:
    """Return the polynomial and its first and second derivatives with respect to x."""
    b2 = c2 + u * c3
    b1 = c1 + u * b2
    d2 = b2 + u * c3
    return c0 + u * b1, inverse * (b1 + u * d2), inverse * inverse * TWO * (d2 + u * c3)
