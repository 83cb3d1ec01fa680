r"""Compiled fields of networks with several hidden layers, in double precision.

Such a field is the sum of c + L z and of one or two towers. A tower with the layers :math:`l = 1 \dots n` has

.. math:: a_1 = B z + b_1, \quad x_l = \sigma(a_l), \quad a_{l+1} = W_{l+1} x_l + b_{l+1},

and contributes :math:`A x_n`, or, if it is the gradient of a potential with the last weights w, :math:`A v_1`, where

.. math:: u_n = w, \quad v_l = \sigma'(a_l) \cdot u_l, \quad u_{l-1} = W_l^T v_l.

Deviation vectors dz move by the derivative of these equations, in which a dot multiplies element by element:

.. math:: dx_l = \sigma'(a_l) \cdot da_l, \quad dv_l = \sigma''(a_l) \cdot da_l \cdot u_l + \sigma'(a_l) \cdot du_l.

One loop serves a single state, ``lanes = 1``, and states side by side, with sums in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from physlearn.models.shallow import EXACT, functions, project, project_many, total, total_many
from systems.compiled.loops import Array, loop
from systems.compiled.products import add_narrow, add_row
from systems.compiled.signature import pointer

HEAD = 8  # numbers of all entries, coordinates, results, vectors, towers and lanes; where c and L are
TOWER = 7  # number of layers, 1 for a gradient, number of neurons of the widest layer; where B, b_1, A and w are
LAYER = 6  # numbers of neurons and of blocks; where the blocks, the matrix, its transpose and the biases are
SUMS = 8  # as in `shallow`


@loop(forceinline=True, **EXACT)
def apply(W: Array, transposed: Array, lanes: int, x: Array, y: Array) -> None:
    """Add W x to y, where W ``(m, k)`` is given with its transpose; x and y are vectors, or have a column per lane."""
    m, k = W.shape
    if lanes == 1:
        add_row(x.reshape(1, k), transposed, y.reshape(1, m))
    else:
        add_narrow(W, x.reshape(k, lanes), y.reshape(m, lanes))


@loop(forceinline=True, **EXACT)
def matrix(p: Array, at: int, m: int, k: int) -> Array:
    """Return the matrix that begins at a place."""
    return p[at : at + m * k].reshape(m, k)


@loop(forceinline=True, **EXACT)
def upward(
    p: Array, integers: Array, heads: Array, layers: Array, place: int, lanes: int, derived: bool, values: Array
) -> None:
    """Compute a and x of all layers from a of the first, and the derivatives of x by a; or da and dx at a vector.

    ``values (4, layers, neurons)`` holds a, x, and the first and second derivatives, which remain those of the state.
    """
    a, x, slopes, curvatures = values[0], values[1], values[2], values[3]
    n, gradient = heads[0], heads[1]
    for layer in range(n):
        head = layers[LAYER * layer :]
        width = head[0] * lanes
        if layer > 0:
            below = layers[LAYER * (layer - 1)]
            for h in range(head[0]):
                for lane in range(lanes):
                    a[layer, h * lanes + lane] = p[head[5] + h] if place == 0 else 0.0
            W, transposed = matrix(p, head[3], head[0], below), matrix(p, head[4], below, head[0])
            apply(W, transposed, lanes, x[layer - 1, : below * lanes], a[layer, :width])
        if place > 0:
            for j in range(width):
                x[layer, j] = slopes[layer, j] * a[layer, j]
            continue
        blocks = integers[head[2] : head[2] + 4 * head[1]]
        for order in range(3):
            out = x if order == 0 else slopes if order == 1 else curvatures
            if order <= gradient + derived and not (order == 0 and gradient and layer == n - 1):
                functions(p, blocks, order, lanes, a[layer, :width], out[layer, :width])


@loop(forceinline=True, **EXACT)
def downward(p: Array, heads: Array, layers: Array, place: int, lanes: int, values: Array, back: Array) -> None:
    """Compute v of all layers, or dv at a vector; ``back (4, layers, neurons)`` holds u, v, du and dv."""
    n, a, slopes, curvatures = heads[0], values[0], values[2], values[3]
    u, v = (back[0], back[1]) if place == 0 else (back[2], back[3])
    for layer in range(n - 1, -1, -1):
        head = layers[LAYER * layer :]
        width = head[0] * lanes
        if layer == n - 1:
            for h in range(head[0]):
                for lane in range(lanes):
                    u[layer, h * lanes + lane] = p[heads[6] + h] if place == 0 else 0.0
        for j in range(width):
            v[layer, j] = slopes[layer, j] * u[layer, j]
            if place > 0:
                v[layer, j] += curvatures[layer, j] * a[layer, j] * back[0, layer, j]
        if layer > 0:
            below = layers[LAYER * (layer - 1)]
            u[layer - 1, : below * lanes] = 0.0
            W, transposed = matrix(p, head[3], head[0], below), matrix(p, head[4], below, head[0])
            apply(transposed, W, lanes, v[layer, :width], u[layer - 1, : below * lanes])


@loop(forceinline=True, **EXACT)
def evaluate(z: Array, numbers: Any, lanes: int, out: Array) -> None:
    """Write the field at states, and its derivative along each vector.

    In ``z (D, 1 + vectors, lanes)`` and ``out (N, 1 + vectors, lanes)``, each coordinate of a state is followed by the same
    one of all its vectors.
    """
    head = carray(numbers, HEAD).view(np.int64)
    p = carray(numbers, head[0])
    integers = p.view(np.int64)
    dim, results, step, towers = head[1], head[2], head[3] + 1, head[4]
    constant, linear = p[head[6] : head[6] + results], p[head[7] : head[7] + results * dim]
    for row in range(results):
        for place in range(step):
            for lane in range(lanes):
                value = constant[row] if place == 0 else 0.0
                for column in range(dim):
                    value += linear[row * dim + column] * z[column, place, lane]
                out[row, place, lane] = value
    begin = HEAD
    for _ in range(towers):
        heads = integers[begin : begin + TOWER]
        n, layers = heads[0], integers[begin + TOWER : begin + TOWER + LAYER * heads[0]]
        begin += TOWER + LAYER * n
        first, widest = layers[0], heads[2] * lanes
        last = first if heads[1] else layers[LAYER * (n - 1)]
        inner, shift = p[heads[3] : heads[3] + dim * first], p[heads[4] : heads[4] + first]
        outer = p[heads[5] : heads[5] + results * last]
        values, back = np.empty((4, n, widest)), np.empty((4 if heads[1] else 0, n, widest))
        sums, into = np.empty((SUMS, lanes)), np.empty(lanes)
        for place in range(step):
            a = values[0, 0, : first * lanes]
            for h in range(first):
                for lane in range(lanes):
                    a[h * lanes + lane] = shift[h] if place == 0 else 0.0
            if lanes == 1:
                project(inner, z.reshape(-1), place, step, a)
            else:
                project_many(inner.reshape(dim, first), z, place, a.reshape(first, lanes))
            upward(p, integers, heads, layers, place, lanes, step > 1, values)
            if heads[1]:
                downward(p, heads, layers, place, lanes, values, back)
            found = (back[1, 0] if place == 0 else back[3, 0]) if heads[1] else values[1, n - 1]
            for row in range(results):
                weights = outer[row * last : (row + 1) * last]
                if lanes == 1:
                    out[row, place, 0] += total(weights, found[:last])
                else:
                    total_many(weights, found[: last * lanes].reshape(last, lanes), sums, into)
                    for lane in range(lanes):
                        out[row, place, lane] += into[lane]


@pointer
def one(t, z, p, out):  # type: ignore[no-untyped-def]
    """Evaluate a deep field, and its derivatives, at one state."""
    head = carray(p, HEAD).view(np.int64)
    dim, results, step = head[1], head[2], head[3] + 1
    evaluate(carray(z, dim * step).reshape(dim, step, 1), p, 1, carray(out, results * step).reshape(results, step, 1))


@pointer
def many(t, z, p, out):  # type: ignore[no-untyped-def]
    """Evaluate a deep field, and its derivatives, at states side by side."""
    head = carray(p, HEAD).view(np.int64)
    dim, results, step, lanes = head[1], head[2], head[3] + 1, head[5]
    states = carray(z, dim * step * lanes).reshape(dim, step, lanes)
    evaluate(states, p, lanes, carray(out, results * step * lanes).reshape(results, step, lanes))


@pointer
def derivatives(t, z, p, out):  # type: ignore[no-untyped-def]
    """Write the Jacobian of a deep field, in row-major order; the number of vectors in p is that of the coordinates."""
    head = carray(p, HEAD).view(np.int64)
    dim, results = head[1], head[2]
    states, found = np.zeros((dim, dim + 1, 1)), np.empty((results, dim + 1, 1))
    for i in range(dim):
        states[i, 0, 0] = z[i]
        states[i, i + 1, 0] = 1.0
    evaluate(states, p, 1, found)
    for row in range(results):
        for column in range(dim):
            out[row * dim + column] = found[row, column + 1, 0]
