r"""Compiled loops that train networks with one hidden layer; the working data of a network stay in the cache of one core.

All kinds of problems have the same structure. The outer loop is over neurons and the inner loop, which is vectorised, over
the batch:

.. math:: a = W_1 x + b_1, \quad y_c = \beta_c + \sum_h V_{ch} f_h(a_h), \quad
          \delta_h = f_h'(a_h) \sum_c V_{ch} \epsilon_c, \quad Q_{ch} = \langle f_h(a_h)\, \epsilon_c \rangle,

where epsilon is the derivative of the loss by y. For outputs or classes, f = sigma, V = W_2 and beta = b_2. For the gradient
of a Hamiltonian network, f = sigma' and V_dh = W_1hd W_2h, so that Q contributes to the gradients by W_1 and W_2.
"""

from __future__ import annotations

import numpy as np

from physlearn.activations.compiled import FAST, INLINED, TABLE, activate, look_up
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


@loop(**INLINED, fastmath=FAST)
def weighted(a: Array, width: int, W: Array, h: int, b: Array, x: Array) -> None:
    """Compute a = W[h] x + b[h]."""
    D = W.shape[1]
    last = D - 1
    w0, w1, bias = W[h, 0], W[h, 1] if last > 0 else ZERO, b[h]
    second = min(1, last)
    for j in range(width):
        a[j] = bias + w0 * x[0, j] + w1 * x[second, j]
    for d in range(2, D, 2):
        w0, w1 = W[h, d], W[h, d + 1] if d < last else ZERO
        second = min(d + 1, last)
        for j in range(width):
            a[j] += w0 * x[d, j] + w1 * x[second, j]


@loop(**INLINED, fastmath=FAST)
def _forward(
    width: int, x: Array, W: Array, b: Array, V: Array, y: Array, order: int, types: Array, tables: Array,
    start: float, inverse: float, a: Array, low: Array, high: Array, cells: Array, pieces: Array,
) -> None:  # fmt: skip
    """Compute f and f' of all neurons in low and high, and add V f to y."""
    H = W.shape[0]
    for h in range(H):
        weighted(a, width, W, h, b, x)
        if types[h] < TABLE:
            activate(types[h], order, a, width, low, high, h)
        else:
            look_up(tables, types[h] - TABLE, start, inverse, order, a, width, low, high, h, cells, pieces)
        if h % 4 == 3:
            for c in range(V.shape[0]):
                v0, v1, v2, v3 = V[c, h - 3], V[c, h - 2], V[c, h - 1], V[c, h]
                for j in range(width):
                    y[c, j] += v0 * low[h - 3, j] + v1 * low[h - 2, j] + v2 * low[h - 1, j] + v3 * low[h, j]
    for h in range(H - H % 4, H):
        for c in range(V.shape[0]):
            v0 = V[c, h]
            for j in range(width):
                y[c, j] += v0 * low[h, j]


@loop(**INLINED, fastmath=FAST)
def _backward(
    width: int, x: Array, V: Array, e: Array, low: Array, high: Array, delta: Array, Q: Array, gb: Array, gW: Array,
) -> None:  # fmt: skip
    """Add the sums over the tile of low e to Q, of delta to gb, and of delta x to gW."""
    C, H = V.shape
    D = x.shape[0]
    for h in range(H):
        for c in range(0, C, 2):
            last = c == C - 1
            c1 = c if last else c + 1
            v0, v1 = V[c, h], ZERO if last else V[c1, h]
            s0, s1 = ZERO, ZERO
            if c == 0:
                for j in range(width):
                    delta[j] = v0 * e[c, j] + v1 * e[c1, j]
                    s0 += low[h, j] * e[c, j]
                    s1 += low[h, j] * e[c1, j]
            else:
                for j in range(width):
                    delta[j] += v0 * e[c, j] + v1 * e[c1, j]
                    s0 += low[h, j] * e[c, j]
                    s1 += low[h, j] * e[c1, j]
            Q[c, h] += s0
            if not last:
                Q[c1, h] += s1
        s2 = ZERO
        for d in range(0, D, 2):
            last = d == D - 1
            d1 = d if last else d + 1
            s0, s1 = ZERO, ZERO
            if d == 0:
                for j in range(width):
                    t = delta[j] * high[h, j]
                    delta[j] = t
                    s2 += t
                    s0 += t * x[d, j]
                    s1 += t * x[d1, j]
                gb[h] += s2
            else:
                for j in range(width):
                    s0 += delta[j] * x[d, j]
                    s1 += delta[j] * x[d1, j]
            gW[h, d] += s0
            if not last:
                gW[h, d1] += s1


@loop(**INLINED)
def _mix(kind: int, W1: Array, W2: Array, V: Array) -> None:
    C, H = V.shape
    for c in range(C):
        for h in range(H):
            V[c, h] = W1[h, c] * W2[0, h] if kind == GRADIENT else W2[c, h]


@loop(fastmath=FAST, error_model="numpy", nogil=True)
def run(
    r: int, kind: int, inputs: Array, targets: Array, labels: Array, weights: Array,
    all_W1: Array, all_b1: Array, all_W2: Array, all_b2: Array, types: Array, tables: Array, start: float, inverse: float,
    orders: Array, batch: int, rule: int, all_first: Array, all_second: Array, count: Array, alive: Array,
    rates: Array, losses: Array, clip: Array, decay: Array, all_parts: Array,
) -> None:  # fmt: skip
    """Take all steps of network r, one per column of losses. The first axis of all arrays except the data is that of networks.

    The rule NONE computes only the losses, for evaluation; one row is then enough in orders, rates, clip, decay and the state
    of the optimizer. all_parts, ``(R, steps, C)``, receives the contribution of each component to each loss; it has the shape
    ``(R, steps, 0)`` if these are not needed.
    """
    W1, b1, W2, b2 = all_W1[r], all_b1[r], all_W2[r], all_b2[r]
    table = tables[r % len(tables)]
    order = orders[r % len(orders)]
    H, D = W1.shape
    C = D if kind == GRADIENT else W2.shape[0]
    level = 1 if kind == GRADIENT else 0
    longest = longest_tile(len(order), batch)
    room = -(-longest // LANES) * LANES
    x, y = np.empty((D, room), np.float32), np.empty((C, room), np.float32)
    low, high = np.empty((H, room + SHIFT), np.float32), np.empty((H, room + SHIFT), np.float32)
    a, delta = np.empty(room, np.float32), np.empty(room, np.float32)
    cells, rows = np.empty(room, np.int32), np.empty(room, np.int32)
    found = np.empty(4 * room, np.float32)
    V, Q = np.empty((C, H), np.float32), np.empty((C, H), np.float32)
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
        _mix(kind, W1, W2, V)
        g[:] = ZERO
        Q[:] = ZERO
        total = 0.0
        parts[:] = 0.0
        while begin < end:
            n = min(longest, end - begin)
            width = -(-n // LANES) * LANES
            gather(inputs, order, begin, n, width, x, rows)
            for c in range(C):
                y[c] = ZERO if kind == GRADIENT else b2[c]
            _forward(width, x, W1, b1, V, y, level, types[r], table, start, inverse, a, low, high, cells, found)
            if kind == CLASSES:
                total += surprises(n, y, labels, rows, share, a, delta)
            else:
                total += squares(n, y, targets, rows, weights, share, parts)
            begin += n
            if rule == NONE:
                continue
            y[:, n:width] = ZERO
            _backward(width, x, V, y, low, high, delta, Q, gb1, gW1)
            if kind != GRADIENT:
                for c in range(C):
                    add_up(gb2, c, n, y[c])
        losses[r, step] = total * share
        for c in range(len(parts)):
            parts[c] *= share
        if rule == NONE:
            continue
        if kind == GRADIENT:
            for h in range(H):
                for d in range(D):
                    gW2[0, h] += W1[h, d] * Q[d, h]
                    gW1[h, d] += W2[0, h] * Q[d, h]
        else:
            gW2[:] = Q
        vectors = W1.reshape(W1.size), b1, W2.reshape(W2.size), b2
        finish(r, step, vectors, g, rule, all_first, all_second, count, alive, rates, losses, clip, decay)
