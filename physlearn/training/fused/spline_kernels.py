r"""Compiled loops that train spline networks with one hidden layer, in the notation of `kernels`.

The features F of a number are the values of the base function and of the splines. A layer stores the first feature of all
numbers, then the second, and so on. A network computes

.. math:: a = W_1 F(x) + b_1, \quad y = W_2 F(a) + b_2.

The gradient of a single output by the inputs is

.. math:: y_d = \sum_f F_f'(x_d)\, u_{fd}, \quad u = W_1^T s, \quad s_h = \sum_f W_{2,fh} F_f'(a_h).
"""

from __future__ import annotations

import numpy as np

from physlearn.activations.compiled import FAST, HALF, INLINED, ONE, TWO, activate
from physlearn.models.spline_network import BASIS, EDGE, FEATURES, SPACING
from physlearn.training.fused.kernels import weighted
from physlearn.training.fused.rules import NONE
from physlearn.training.fused.step import (
    CLASSES,
    GRADIENT,
    LANES,
    SHIFT,
    ZERO,
    add_up,
    finish,
    gather,
    gradient_views,
    longest_tile,
    squares,
    surprises,
)
from systems.compiled.loops import Array, loop

INVERSE = np.float32(1 / SPACING)
FIRST = np.float32(EDGE / SPACING + 1)  # from 0 to the first centre, in units of the spacing
FOUR, SIXTH = np.float32(4), np.float32(1 / 6)


@loop(**INLINED, fastmath=FAST)
def _featured(base: int, order: int, a: Array, width: int, low: Array, high: Array, i: int, n: int) -> None:
    """Compute the derivatives of the given order and the next, for all features of number i of n."""
    activate(base, order, a, width, low, high, i)
    for g in range(BASIS):
        row, centre = (g + 1) * n + i, FIRST - np.float32(g)
        for j in range(width):
            u = a[j] * INVERSE + centre
            d = abs(u)
            p = TWO - d if d < TWO else ZERO
            q = ONE - d if d < ONE else ZERO
            slope = (TWO * q * q - HALF * p * p) * INVERSE
            slope = -slope if u < ZERO else slope
            low[row, j] = (p * p * p - FOUR * q * q * q) * SIXTH if order == 0 else slope
            high[row, j] = slope if order == 0 else (p - FOUR * q) * INVERSE * INVERSE


@loop(**INLINED, fastmath=FAST)
def _projected(sums: Array, width: int, t: Array, x: Array) -> None:
    """Add x t to sums."""
    n = len(sums)
    for i in range(0, n - 3, 4):
        s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
        for j in range(width):
            s0 += t[j] * x[i, j]
            s1 += t[j] * x[i + 1, j]
            s2 += t[j] * x[i + 2, j]
            s3 += t[j] * x[i + 3, j]
        sums[i] += s0
        sums[i + 1] += s1
        sums[i + 2] += s2
        sums[i + 3] += s3
    for i in range(n - n % 4, n):
        s0 = ZERO
        for j in range(width):
            s0 += t[j] * x[i, j]
        sums[i] += s0


@loop(**INLINED, fastmath=FAST)
def _slopes(width: int, W2: Array, low: Array, s: Array) -> None:
    """Compute s[h], the derivative of the output by a[h]."""
    H = len(s)
    for h in range(H):
        s[h, :width] = ZERO
        for i in range(h, W2.shape[1], H):
            w = W2[0, i]
            for j in range(width):
                s[h, j] += w * low[i, j]


@loop(**INLINED, fastmath=FAST)
def _gradient(width: int, W1T: Array, none: Array, s: Array, slopes: Array, y: Array, u: Array) -> None:
    """Compute y[d], the derivative of the output by x[d]."""
    D = len(y)
    y[:, :width] = ZERO
    for i in range(len(W1T)):
        weighted(u, width, W1T, i, none, s)
        d = i % D
        for j in range(width):
            y[d, j] += slopes[i, j] * u[j]


@loop(**INLINED, fastmath=FAST)
def _back(
    width: int, X: Array, W2T: Array, none: Array, e: Array, low: Array, high: Array, t: Array, delta: Array, g: Array,
) -> None:  # fmt: skip
    """Add the sums over the tile of the gradients by W1, b1 and W2, for outputs."""
    gW1, gb1, gW2 = g
    H = len(gb1)
    for c in range(len(gW2)):
        _projected(gW2[c], width, e[c], low)
    for h in range(H):
        delta[:width] = ZERO
        for i in range(h, len(W2T), H):
            weighted(t, width, W2T, i, none, e)
            for j in range(width):
                delta[j] += t[j] * high[i, j]
        _projected(gW1[h], width, delta, X)
        add_up(gb1, h, width, delta)


@loop(**INLINED, fastmath=FAST)
def _back_of_gradient(
    width: int, X: Array, slopes: Array, W1: Array, W2: Array, none: Array, s: Array, e: Array, low: Array, high: Array,
    E: Array, t: Array, delta: Array, g: Array,
) -> None:  # fmt: skip
    """Do the same for problems of the gradient by the inputs; E is workspace for the derivative of the loss by each u."""
    gW1, gb1, gW2 = g
    H, D = len(gb1), len(e)
    for i in range(len(E)):
        d = i % D
        for j in range(width):
            E[i, j] = slopes[i, j] * e[d, j]
    for h in range(H):
        weighted(t, width, W1, h, none, E)
        delta[:width] = ZERO
        for i in range(h, W2.shape[1], H):
            w, q = W2[0, i], ZERO
            for j in range(width):
                q += t[j] * low[i, j]
                delta[j] += w * high[i, j]
            gW2[0, i] += q
        for j in range(width):
            delta[j] *= t[j]
        _projected(gW1[h], width, s[h], E)
        _projected(gW1[h], width, delta, X)
        add_up(gb1, h, width, delta)


@loop(fastmath=FAST, error_model="numpy", nogil=True)
def run(
    r: int, kind: int, inputs: Array, targets: Array, labels: Array, weights: Array,
    all_W1: Array, all_b1: Array, all_W2: Array, all_b2: Array, types: Array, tables: Array, start: float, inverse: float,
    orders: Array, batch: int, rule: int, all_first: Array, all_second: Array, count: Array, alive: Array,
    rates: Array, losses: Array, clip: Array, decay: Array, all_parts: Array,
) -> None:  # fmt: skip
    """Take all steps of network r as `kernels.run` does; all types of a network are its base function, without tables."""
    W1, b1, W2, b2 = all_W1[r], all_b1[r], all_W2[r], all_b2[r]
    order = orders[r % len(orders)]
    base = types[r, 0]
    H, D = len(b1), inputs.shape[1]
    C = D if kind == GRADIENT else len(W2)
    level = 1 if kind == GRADIENT else 0
    longest = longest_tile(len(order), batch)
    room = -(-longest // LANES) * LANES
    x, y = np.empty((D, room), np.float32), np.empty((C, room), np.float32)
    X, slopes = np.empty((FEATURES * D, room + SHIFT), np.float32), np.empty((FEATURES * D, room + SHIFT), np.float32)
    low, high = np.empty((FEATURES * H, room + SHIFT), np.float32), np.empty((FEATURES * H, room + SHIFT), np.float32)
    s, E = np.empty((H, room), np.float32), np.empty_like(X)
    a, t, delta = np.empty(room, np.float32), np.empty(room, np.float32), np.empty(room, np.float32)
    rows = np.empty(room, np.int32)
    none = np.zeros(FEATURES * max(H, D), np.float32)
    g = np.empty(W1.size + H + W2.size + b2.size, np.float32)
    gW1, gb1, gW2, gb2 = gradient_views(g, W1, W2)
    for step in range(losses.shape[1]):
        parts = all_parts[r, step]
        if rule != NONE and not alive[r]:
            losses[r, step] = np.nan
            parts[:] = np.nan
            continue
        begin = step * batch
        end = min(begin + batch, len(order))
        share = np.float32(1 / (end - begin))
        W1T, W2T = W1.T.copy(), W2.T.copy()
        g[:] = ZERO
        total = 0.0
        parts[:] = 0.0
        while begin < end:
            n = min(longest, end - begin)
            width = -(-n // LANES) * LANES
            gather(inputs, order, begin, n, width, x, rows)
            for d in range(D):
                _featured(base, 0, x[d], width, X, slopes, d, D)
            for h in range(H):
                weighted(a, width, W1, h, b1, X)
                _featured(base, level, a, width, low, high, h, H)
            if kind == GRADIENT:
                _slopes(width, W2, low, s)
                _gradient(width, W1T, none, s, slopes, y, a)
            else:
                for c in range(C):
                    weighted(y[c], width, W2, c, b2, low)
            if kind == CLASSES:
                total += surprises(n, y, labels, rows, share, a, delta)
            else:
                total += squares(n, y, targets, rows, weights, share, parts)
            begin += n
            if rule == NONE:
                continue
            y[:, n:width] = ZERO
            if kind == GRADIENT:
                _back_of_gradient(width, X, slopes, W1, W2, none, s, y, low, high, E, t, delta, (gW1, gb1, gW2))
            else:
                _back(width, X, W2T, none, y, low, high, t, delta, (gW1, gb1, gW2))
                for c in range(C):
                    add_up(gb2, c, width, y[c])
        losses[r, step] = total * share
        for c in range(len(parts)):
            parts[c] *= share
        if rule != NONE:
            vectors = W1.reshape(W1.size), b1, W2.reshape(W2.size), b2
            finish(r, step, vectors, g, rule, all_first, all_second, count, alive, rates, losses, clip, decay)
