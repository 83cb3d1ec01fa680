r"""Compiled loops that move states through steps of a learned flow, with their derivatives by the weights and the first state.

The networks have one hidden layer. In terms of the inputs :math:`x = E z + v` of a network, the flow is the sum of

.. math:: f = M\,(W_2\,\sigma(a) + b_2) \quad\text{or}\quad f = M\,W_1^T (w \cdot \sigma'(a)), \qquad a = W_1 x + b_1,

over its networks, the second for the gradient of a potential. The derivatives K of a rate by all that is learned follow from
those of the state, S, which begin as those of the first state by itself:

.. math:: K = \frac{\partial f}{\partial z}\,S + \frac{\partial f}{\partial \text{weights}}

Classical Runge-Kutta substeps move S as they move z. The innermost loops are over neurons and weights, which lie side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.activations.double import activate
from systems.compiled.loops import Array, loop

FAST: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": {"reassoc", "contract", "nsz", "arcp"}}
STATES, STARTS, ALL = range(3)  # what is differentiated: nothing, states by the first state, or by the weights, too


class Tower(NamedTuple):
    """A network as the loops see it.

    Attributes
    ----------
    into, shift : shape ``(d, X)``, ``(d,)``
        E and v, for a state and given values of X numbers in all.
    weights, biases : shape ``(d, H)``, ``(H,)``
        The transpose of W1, and b1.
    inner : shape ``(X, H)``
        The transpose of W1 E.
    outer : shape ``(N, H)``
        The weights of the functions of the neurons in the flow.
    mixed : shape ``(N, H)``
        For a potential, M W1^T, so that ``outer`` is its product with w.
    constant : shape ``(N,)``
        M b2, or zero.
    out : shape ``(N, O)``, or ``(N, d)`` for a potential
        M.
    last : shape ``(H,)``, or ``(0,)`` for outputs
        w.
    blocks : shape ``(blocks, 4)``, int64
        Number of neurons, code and order of their function, and where its numbers begin.
    numbers : 1-d
        The numbers of tables.
    begin : shape ``(1,)``, int64
        The place of the first weight of the network among all.
    """

    into: Array
    shift: Array
    weights: Array
    biases: Array
    inner: Array
    outer: Array
    mixed: Array
    constant: Array
    out: Array
    last: Array
    blocks: Array
    numbers: Array
    begin: Array


@loop(**FAST)
def _functions(tower: Any, derivative: int, a: Array, into: Array) -> None:
    """Write a derivative of the functions of all neurons."""
    at = 0
    for block in range(len(tower.blocks)):
        count, code, order, place = tower.blocks[block]
        activate(code, order + derivative, tower.numbers[place:], a[at : at + count], into[at : at + count])
        at += count


@loop(**FAST)
def _add_rates(tower: Any, x: Array, what: int, f: Array, jacobian: Array, K: Array, work: Array) -> None:
    """Add the rates of a network, their Jacobian by the state, and their derivatives by its weights to f, jacobian and K."""
    d, H = tower.weights.shape
    N = len(f)
    a, low, high, u = work[0, :H], work[1, :H], work[2, :H], work[3, :d]
    for j in range(d):
        u[j] = tower.shift[j]
        for e in range(len(x)):
            u[j] += tower.into[j, e] * x[e]
    for h in range(H):
        a[h] = tower.biases[h]
    for j in range(d):
        for h in range(H):
            a[h] += tower.weights[j, h] * u[j]
    _functions(tower, 0, a, low)
    for c in range(N):
        total = 0.0
        for h in range(H):
            total += tower.outer[c, h] * low[h]
        f[c] += total + tower.constant[c]
    if what == STATES:
        return
    _functions(tower, 1, a, high)
    potential, outputs = len(tower.last) > 0, tower.out.shape[1]
    for c in range(N):
        for h in range(H):
            a[h] = tower.outer[c, h] * high[h]
        for e in range(N):
            total = 0.0
            for h in range(H):
                total += a[h] * tower.inner[e, h]
            jacobian[c, e] += total
        if what == STARTS:
            continue
        at = N + tower.begin[0]
        for j in range(d):
            row, scale = K[c, at : at + H], u[j]
            for h in range(H):
                row[h] += scale * a[h]
            if potential and tower.out[c, j] != 0.0:
                scale = tower.out[c, j]
                for h in range(H):
                    row[h] += scale * tower.last[h] * low[h]
            at += H
        row = K[c, at : at + H]
        for h in range(H):
            row[h] += a[h]
        at += H
        if potential:
            row = K[c, at : at + H]
            for h in range(H):
                row[h] += tower.mixed[c, h] * low[h]
        else:
            for o in range(outputs):
                scale = tower.out[c, o]
                if scale != 0.0:
                    row = K[c, at + o * H : at + (o + 1) * H]
                    for h in range(H):
                        row[h] += scale * low[h]
                    K[c, at + outputs * H + o] += scale


@loop(**FAST)
def _stage(
    towers: Any,
    linear: Array,
    constant: Array,
    x: Array,
    what: int,
    S: Array,
    f: Array,
    jacobian: Array,
    K: Array,
    work: Array,
) -> None:
    """Write the rates of a state and their derivatives K, given those of the state."""
    N, width = len(f), S.shape[1]
    for c in range(N):
        f[c] = constant[c]
        for e in range(len(x)):
            f[c] += linear[c, e] * x[e]
    if what != STATES:
        jacobian[:] = linear[:, :N]
        K[:] = 0.0
    for k in range(len(towers)):
        _add_rates(towers[k], x, what, f, jacobian, K, work)
    if what == STATES:
        return
    for c in range(N):
        row = K[c]
        for e in range(N):
            scale = jacobian[c, e]
            if scale != 0.0:
                other = S[e]
                for i in range(width):
                    row[i] += scale * other[i]


@loop(**FAST)
def follow(
    towers: Any, linear: Array, constant: Array, t: Array, start: Array, given: Array, substeps: int, what: int,
    z: Array, tangent: Array,
) -> None:  # fmt: skip
    """Write the states at the times of windows, and their derivatives.

    Parameters
    ----------
    towers, linear, constant
        The flow: a tuple of `Tower`, and the part c + L z.
    t : shape ``(W, L + 1)``
        Times.
    start : shape ``(W, N)``
        The first states.
    given : shape ``(W, L, 2 substeps + 1, k)``
        Given values at the stages.
    substeps
        Number of substeps from each time to the next.
    what
        What is differentiated.
    z : shape ``(W, L, N)``
        Output: the states after the first.
    tangent : shape ``(W, L, N, N + P)``, or ``(W, L, N, N)``, or empty
        Output: their derivatives by the first state and, if wanted, by the weights.
    """
    N = start.shape[1]
    width = tangent.shape[3]
    most = 0
    for k in range(len(towers)):
        most = max(most, max(towers[k].weights.shape))
    S, K, moved, summed = np.zeros((N, width)), np.zeros((N, width)), np.zeros((N, width)), np.zeros((N, width))
    f, total, jacobian, work = np.zeros(N), np.zeros(N), np.zeros((N, N)), np.zeros((4, most))
    x, y = np.zeros(N + given.shape[3]), np.zeros(N)
    for w in range(len(t)):
        y[:] = start[w]
        if what != STATES:
            S[:] = 0.0
            for c in range(N):
                S[c, c] = 1.0
        for k in range(t.shape[1] - 1):
            h = (t[w, k + 1] - t[w, k]) / substeps
            for step in range(substeps):
                x[:N] = y
                total[:] = 0.0
                for stage in range(4):
                    x[N:] = given[w, k, 2 * step + (stage + 1) // 2]
                    _stage(towers, linear, constant, x, what, S if stage == 0 else moved, f, jacobian, K, work)
                    share = h / 6 if stage == 0 or stage == 3 else h / 3
                    ahead = h / 2 if stage < 2 else h
                    for c in range(N):
                        total[c] += share * f[c]
                        x[c] = y[c] + ahead * f[c]
                    if what != STATES:
                        for c in range(N):
                            for i in range(width):
                                summed[c, i] = (S[c, i] if stage == 0 else summed[c, i]) + share * K[c, i]
                                moved[c, i] = S[c, i] + ahead * K[c, i]
                y += total
                if what != STATES:
                    S[:] = summed
            z[w, k] = y
            if what != STATES:
                tangent[w, k] = S
