r"""Compiled loops that train networks with any number L of hidden layers, whose layers are products of matrices.

Columns are samples, and a dot multiplies element by element. A network computes

.. math:: a_l = W_l x_{l-1} + b_l, \quad x_l = \sigma(a_l), \quad l = 1 \dots L, \quad y = W_{L+1} x_L + b_{L+1}.

For outputs and classes, epsilon is the derivative of the loss by y. Backpropagation starts from :math:`d_{L+1} = \epsilon`:

.. math:: \partial W_l = d_l x_{l-1}^T, \quad \partial b_l = d_l 1, \quad d_{l-1} = \sigma'(a_{l-1}) \cdot W_l^T d_l.

In a Hamiltonian network, the single output has the weights w, and y is its gradient by the inputs, :math:`y = u_0`:

.. math:: u_L = w, \quad v_l = \sigma'(a_l) \cdot u_l, \quad u_{l-1} = W_l^T v_l.

The derivatives of the loss are found by going through the same operations backwards, first through those of the gradient,
upward from :math:`e_0 = \epsilon`,

.. math:: g_l = W_l e_{l-1}, \quad e_l = \sigma'(a_l) \cdot g_l, \quad d_l = \sigma''(a_l) \cdot u_l \cdot g_l, \quad
          \partial W_l = v_l e_{l-1}^T, \quad \partial w = e_L 1,

and then through those of the values, downward from :math:`l = L`, by backpropagation as above, except that it adds to
:math:`d_{l-1}` and to :math:`\partial W_l`. A hidden layer that follows another thus takes six products of matrices; for
outputs it takes three.
"""

from __future__ import annotations

import numpy as np

from physlearn.activations.compiled import FAST, INLINED, TABLE, activate, look_up
from physlearn.training.fused.rules import NONE
from physlearn.training.fused.step import (
    CLASSES,
    GRADIENT,
    SHIFT,
    ZERO,
    add_up,
    finish,
    gather,
    longest_tile,
    squares,
    surprises,
)
from systems.compiled.loops import Array, loop
from systems.compiled.products import BLOCK, COLUMNS, add_outer, add_product


@loop(**INLINED)
def _padded(sizes: Array) -> tuple[Array, Array, Array]:
    """Return the number of rows of each layer in blocks, and where the rows and the weights of each layer begin."""
    wide = (sizes + BLOCK - 1) // BLOCK * BLOCK
    rows, places = np.zeros(len(sizes) + 1, np.int64), np.zeros(len(sizes) + 1, np.int64)
    for layer in range(len(sizes)):
        rows[layer + 1] = rows[layer] + wide[layer]
        places[layer + 1] = places[layer] + (wide[layer] * wide[layer - 1] if layer > 0 else 0)
    return wide, rows, places


@loop(**INLINED)
def _matrix(packed: Array, wide: Array, places: Array, layer: int) -> Array:
    """Return the weights of a layer in blocks, or their gradient, as a matrix."""
    return packed[places[layer] : places[layer + 1]].reshape(wide[layer], wide[layer - 1])


@loop(**INLINED)
def _copy(
    into_blocks: bool, p: Array, sizes: Array, wide: Array, rows: Array, places: Array, packed: Array, biases: Array,
) -> None:  # fmt: skip
    """Copy the parameters of a network into blocks, or a gradient out of them; the last layer of a potential has no bias."""
    begin = 0
    for layer in range(1, len(sizes)):
        block, b, n = _matrix(packed, wide, places, layer), biases[rows[layer] :], sizes[layer - 1]
        for h in range(sizes[layer]):
            if into_blocks:
                block[h, :n] = p[begin : begin + n]
            else:
                p[begin : begin + n] = block[h, :n]
            begin += n
        n = min(sizes[layer], len(p) - begin)
        if into_blocks:
            b[:n] = p[begin : begin + n]
        else:
            p[begin : begin + n] = b[:n]
        begin += n


@loop(**INLINED, fastmath=FAST)
def _forward(
    width: int, last: int, gradient: bool, sizes: Array, wide: Array, rows: Array, places: Array, packed: Array,
    biases: Array, types: Array, tables: Array, start: float, inverse: float, x: Array, s: Array, c: Array, a: Array,
    cells: Array, pieces: Array,
) -> None:  # fmt: skip
    """Compute the values x, slopes s and curvatures c of the hidden layers, and x of the output if it is among the layers."""
    L, neuron = len(sizes) - 2, 0
    for layer in range(1, last + 1):
        begin, end = rows[layer], rows[layer + 1]
        y = x[begin:end] if layer > L else a[: wide[layer]]
        for h in range(wide[layer]):
            y[h, :width] = biases[begin + h]
        add_product(_matrix(packed, wide, places, layer), x[rows[layer - 1] : begin], y, width)
        if layer > L:
            continue
        for level in range(1 if gradient and layer == L else 0, 2 if gradient else 1):
            low, high = (x, s) if level == 0 else (s, c)
            for h in range(sizes[layer]):
                kind, row = types[neuron + h], begin + h
                if kind < TABLE:
                    activate(kind, level, a[h], width, low, high, row)
                else:
                    look_up(tables, kind - TABLE, start, inverse, level, a[h], width, low, high, row, cells, pieces)
        neuron += sizes[layer]


@loop(**INLINED, fastmath=FAST)
def _gradient(
    width: int, sizes: Array, wide: Array, rows: Array, places: Array, packed: Array, s: Array, u: Array, v: Array
) -> None:
    """Compute u and v, and with them the gradient of the output by the inputs, which is u of the first layer."""
    L = len(sizes) - 2
    for h in range(wide[L]):
        u[rows[L] + h, :width] = packed[places[L + 1] + h]
    for layer in range(L, 0, -1):
        begin, end = rows[layer], rows[layer + 1]
        for h in range(begin, end):
            for j in range(width):
                v[h, j] = s[h, j] * u[h, j]
        below = u[rows[layer - 1] : begin]
        for h in range(wide[layer - 1]):
            below[h, :width] = ZERO
        add_product(_matrix(packed, wide, places, layer).T, v[begin:end], below, width)


@loop(**INLINED, fastmath=FAST)
def _back_of_gradient(
    width: int, sizes: Array, wide: Array, rows: Array, places: Array, packed: Array, s: Array, c: Array, u: Array, v: Array,
    e: Array, g: Array, into: Array,
) -> None:  # fmt: skip
    """Replace u by d, and add the sums over the tile of v e^T and of e of the last layer to the gradient ``into``."""
    L = len(sizes) - 2
    for h in range(wide[0]):
        e[h, :width] = u[h, :width]
    for layer in range(1, L + 1):
        begin, end = rows[layer], rows[layer + 1]
        below = e[rows[layer - 1] : begin]
        add_outer(_matrix(into, wide, places, layer), v[begin:end], below, width)
        for h in range(wide[layer]):
            g[h, :width] = ZERO
        add_product(_matrix(packed, wide, places, layer), below, g[: wide[layer]], width)
        for h in range(wide[layer]):
            row = begin + h
            for j in range(width):
                e[row, j] = s[row, j] * g[h, j]
                u[row, j] = c[row, j] * u[row, j] * g[h, j]
    for h in range(wide[L]):
        add_up(into, places[L + 1] + h, width, e[rows[L] + h])


@loop(**INLINED, fastmath=FAST)
def _backward(
    width: int, top: int, wide: Array, rows: Array, places: Array, packed: Array, x: Array, s: Array, d: Array, g: Array,
    into: Array, of_biases: Array,
) -> None:  # fmt: skip
    """Backpropagate from a layer downward, and add the sums over the tile of d x^T and d to the gradients."""
    for layer in range(top, 0, -1):
        begin, end, under = rows[layer], rows[layer + 1], rows[layer - 1]
        add_outer(_matrix(into, wide, places, layer), d[begin:end], x[under:begin], width)
        for h in range(begin, end):
            add_up(of_biases, h, width, d[h])
        if layer == 1:
            break
        for h in range(wide[layer - 1]):
            g[h, :width] = ZERO
        add_product(_matrix(packed, wide, places, layer).T, d[begin:end], g[: wide[layer - 1]], width)
        for h in range(wide[layer - 1]):
            for j in range(width):
                d[under + h, j] += s[under + h, j] * g[h, j]


@loop(fastmath=FAST, error_model="numpy", nogil=True)
def run(
    r: int, kind: int, inputs: Array, targets: Array, labels: Array, weights: Array,
    all_p: Array, sizes: Array, all_types: Array, all_tables: Array, start: float, inverse: float,
    orders: Array, batch: int, rule: int, all_first: Array, all_second: Array, count: Array, alive: Array,
    rates: Array, losses: Array, clip: Array, decay: Array, all_parts: Array,
) -> None:  # fmt: skip
    """Take all steps of network r as `kernels.run` does, for networks of any depth.

    all_p ``(R, P)`` are the parameters, layer by layer, sizes ``(L + 2,)`` int64 the numbers of inputs, of neurons of each
    hidden layer and of outputs, and all_types ``(R, neurons of all layers)`` the functions of the neurons.
    """
    p, types, tables = all_p[r], all_types[r], all_tables[r % len(all_tables)]
    order = orders[r % len(orders)]
    L = len(sizes) - 2
    gradient = kind == GRADIENT
    C, last = (sizes[0], L) if gradient else (sizes[L + 1], L + 1)
    longest = longest_tile(len(order), batch)
    room = -(-longest // COLUMNS) * COLUMNS
    wide, rows, places = _padded(sizes)
    shape = (rows[L + 2], room + SHIFT)
    x, s, d = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    second = shape if gradient else (0, room + SHIFT)
    c, v, e = np.zeros(second, np.float32), np.zeros(second, np.float32), np.zeros(second, np.float32)
    a = np.zeros((wide.max(), room + SHIFT), np.float32)
    cells, chosen = np.empty(room, np.int32), np.empty(room, np.int32)
    pieces, sums = np.empty(4 * room, np.float32), np.empty(room, np.float32)
    packed, biases = np.zeros(places[L + 2], np.float32), np.zeros(rows[L + 2], np.float32)
    into, of_biases, g = np.zeros_like(packed), np.zeros_like(biases), np.empty(len(p), np.float32)
    y = d[:C] if gradient else x[rows[L + 1] : rows[L + 1] + C]
    for step in range(losses.shape[1]):
        parts = all_parts[r, step]
        if rule != NONE and not alive[r]:
            losses[r, step] = np.nan
            parts[:] = np.nan
            continue
        begin = step * batch
        end = min(begin + batch, len(order))
        share = np.float32(1 / (end - begin))
        _copy(True, p, sizes, wide, rows, places, packed, biases)
        into[:] = ZERO
        of_biases[:] = ZERO
        total = 0.0
        parts[:] = 0.0
        while begin < end:
            n = min(longest, end - begin)
            width = -(-n // COLUMNS) * COLUMNS
            gather(inputs, order, begin, n, width, x[: sizes[0]], chosen)
            _forward(width, last, gradient, sizes, wide, rows, places, packed, biases, types, tables, start, inverse,
                     x, s, c, a, cells, pieces)  # fmt: skip
            if gradient:
                _gradient(width, sizes, wide, rows, places, packed, s, d, v)
            if kind == CLASSES:
                total += surprises(n, y, labels, chosen, share, a[0], sums)
            else:
                total += squares(n, y, targets, chosen, weights, share, parts)
            begin += n
            if rule == NONE:
                continue
            y[:, n:width] = ZERO
            if gradient:
                _back_of_gradient(width, sizes, wide, rows, places, packed, s, c, d, v, e, a, into)
            else:
                for h in range(rows[1], rows[L + 1]):
                    d[h, :width] = ZERO
                for h in range(rows[L + 1], rows[L + 1] + C):
                    d[h, :width] = x[h, :width]
            _backward(width, last, wide, rows, places, packed, x, s, d, a, into, of_biases)
        losses[r, step] = total * share
        for k in range(len(parts)):
            parts[k] *= share
        if rule != NONE:
            _copy(False, g, sizes, wide, rows, places, into, of_biases)
            finish(r, step, (p,), g, rule, all_first, all_second, count, alive, rates, losses, clip, decay)
