"""Deviation vectors along orbits: the loop over many stretches of steps and renormalisations, compiled.

An array holds each coordinate of a state, followed by the same coordinate of its vectors, each for all orbits side by side.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from systems.compiled.blocks import each_block, lanes_of, one_by_one, side_by_side
from systems.compiled.field import ParametrizedField
from systems.compiled.fixed_step import COMPOSED, EXACT, INLINED, MAP, RK4, composed, euler, inlined, iterate, rk4
from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into
from systems.compiled.stepping import Explicit

STEPS_AT_ONCE = 1_000_000  # so that the user can interrupt


@loop(**EXACT)
def normalize(y: Array, scale: Array, lane: int, orthogonal: bool, growth: Array, upper: Array) -> bool:
    """Normalise the vectors of an orbit ``y (D, 1 + k, lanes)`` and add the logarithms of their lengths to ``growth (k,)``.

    Lengths are in units of ``scale (D, lanes)``. With ``orthogonal``, each vector is made orthogonal to those before it, and
    ``upper (k, k)`` receives the triangular matrix R, by which the new vectors give the old ones. A vector of length zero then
    has a logarithm of minus infinity. The result is False if another length is zero or not finite.
    """
    dim, k = y.shape[0], y.shape[1] - 1
    for vector in range(1, k + 1):
        for before in range(1, vector if orthogonal else 1):
            product = 0.0
            for i in range(dim):
                product += y[i, before, lane] * y[i, vector, lane] / (scale[i, lane] * scale[i, lane])
            upper[before - 1, vector - 1] = product
            for i in range(dim):
                y[i, vector, lane] -= product * y[i, before, lane]
        square = 0.0
        for i in range(dim):
            part = y[i, vector, lane] / scale[i, lane]
            square += part * part
        if square == 0.0 and orthogonal:  # a map may contract a vector to nothing; any direction goes on with its place
            growth[vector - 1] = -np.inf
            upper[vector - 1, vector - 1] = 0.0
            for i in range(dim):
                y[i, vector, lane] = scale[i, lane] if i == vector - 1 else 0.0
            continue
        if not 0.0 < square < np.inf:
            return False
        length = np.sqrt(square)
        growth[vector - 1] += np.log(length)
        upper[vector - 1, vector - 1] = length
        for i in range(dim):
            y[i, vector, lane] /= length
    return True


@loop(nogil=True, **EXACT)
def run(
    kind: int, first: int, second: int, p: Array, p_second: Array, weights: Array, dt: float, number: int, counts: Array,
    owners: Array, orthogonal: bool, y: Array, scale: Array, alive: Array, growth: Array, path: Array, upper: Array,
) -> int:  # fmt: skip
    """Take stretches of steps, each followed by a renormalisation, and return the number of the next step.

    Parameters
    ----------
    kind, first, second, p, p_second, weights
        The method and what it calls, as in `systems.compiled.fixed_step.run`.
    dt, number
        Length of the steps, and the number of the first, which begins at the time ``number dt``.
    counts, owners : shape (S,)
        Number of steps of each stretch, and the row of ``growth`` to which it belongs; -1 for none.
    orthogonal
        Whether the vectors are made orthogonal.
    y : shape (D, 1 + k, lanes)
        States and vectors, which are changed.
    scale : shape (D, lanes)
        The unit of each coordinate.
    alive : shape (lanes,)
        Whether the orbit has been finite so far, which is updated. Others keep NaN.
    growth : shape (lanes, rows, k)
        Receives the sums of the logarithms.
    path, upper : shapes (S, D, 1 + k, lanes) and (S, lanes, k, k), or empty
        Receive the states and vectors after each stretch, and the triangular matrices; nothing is kept if they are empty.
    """
    flat = y.reshape(-1)
    k, state, nothing = np.zeros((4, flat.size)), np.zeros(flat.size), np.zeros(y.shape[1] - 1)
    unused = np.zeros((y.shape[1] - 1, y.shape[1] - 1))
    if kind == COMPOSED:
        call_into(first, number * dt, flat, p, k, 0)
    for stretch in range(counts.size):
        if kind == INLINED:
            inlined(first, p, counts[stretch], number, dt, 0.0, 0.0, 0.0, flat, k)
            number += counts[stretch]
        else:
            for _ in range(counts[stretch]):
                t = number * dt
                if kind == RK4:
                    rk4(first, p, t, dt, flat, k, state)
                elif kind == COMPOSED:
                    composed(first, second, p, p_second, t, dt, weights, flat, k)
                elif kind == MAP:
                    iterate(first, p, t, flat, k)
                else:
                    euler(first, p, t, dt, flat, k, state)
                number += 1
        owner = owners[stretch]
        for lane in range(y.shape[2]):
            finite = True
            for i in range(y.shape[0]):
                finite = finite and np.isfinite(y[i, 0, lane])
            own = growth[lane, owner] if owner >= 0 else nothing
            matrix = upper[stretch, lane] if path.size > 0 else unused
            if alive[lane] and not (finite and normalize(y, scale, lane, orthogonal, own, matrix)):
                alive[lane] = False
            if not alive[lane]:
                for i in range(y.shape[0]):
                    for vector in range(y.shape[1]):
                        y[i, vector, lane] = np.nan
                if owner >= 0:
                    for vector in range(y.shape[1] - 1):
                        growth[lane, owner, vector] = np.nan
        if path.size > 0:
            path[stretch] = y
        if kind == COMPOSED:  # the force on the vectors that were changed
            call_into(first, number * dt, flat, p, k, 0)
    return number


class Carried(NamedTuple):
    """States and deviation vectors after stretches of steps. Orbits that are not finite have NaN.

    Parameters
    ----------
    z, w : shapes ``(n, D)`` and ``(n, k, D)``
        States and unit vectors at the end.
    growth : shape ``(n, rows, k)``
        Sums of the logarithms of the lengths.
    path : shape ``(n, S, D, 1 + k)``
        State and vectors after each stretch, if they were recorded.
    upper : shape ``(n, S, k, k)``
        Triangular matrix of each stretch, if they were recorded.
    """

    z: Array
    w: Array
    growth: Array
    path: Array
    upper: Array


def carry(
    method: Explicit,
    field: ParametrizedField,
    z: Array,
    w: Array,
    scale: Array,
    dt: float,
    counts: Array,
    owners: Array,
    orthogonal: bool,
    first: int = 0,
    recorded: bool = False,
) -> Carried:
    """Move states and deviation vectors through many stretches of steps.

    Parameters
    ----------
    method : Explicit
        The method.
    field : ParametrizedField
        The field of the states.
    z, w, scale : shapes ``(n, D)``, ``(n, k, D)`` and ``(n, D)``
        The states, the vectors in units of ``scale``, and the unit of each coordinate.
    dt : float
        Length of the steps.
    counts, owners : shape ``(S,)``
        Number of steps of each stretch, and the row of the result to which its growth belongs; -1 for none.
    orthogonal : bool
        Whether the vectors are made orthogonal after each stretch.
    first : int, default 0
        Number of the first step, which begins at the time ``first dt``.
    recorded : bool, default False
        Whether the states, vectors and triangular matrices after every stretch are kept. The vectors must be orthogonal.

    Returns
    -------
    Carried
        The states and unit vectors at the end, the sums of the logarithms of the lengths, and what was recorded.
    """
    n, k = len(z), w.shape[1]
    tangent = field.tangent(k)
    lanes = lanes_of(tangent.field.function, n)
    together = np.concatenate([z[:, :, None], (w * scale[:, None]).transpose(0, 2, 1)], axis=2)  # (n, D, 1 + k)
    y, units = side_by_side(together, lanes), side_by_side(scale, lanes)
    blocks = len(y)
    alive = np.ones((blocks, lanes), dtype=np.bool_)
    growth = np.zeros((blocks, lanes, int(owners.max(initial=-1)) + 1, k))
    kept = len(counts) if recorded else 0
    path = np.empty((blocks, kept, *y.shape[1:]))
    upper = np.zeros((blocks, kept, lanes, k, k))
    calls = method.calls(tangent, lanes, int(counts.sum()) * blocks)
    numbers, weights = np.full(blocks, first, dtype=np.int64), np.array(method.weights)

    def block(place: int, begin: int, end: int) -> None:
        own = y[place], units[place], alive[place], growth[place], path[place, begin:end], upper[place, begin:end]
        stretches = dt, int(numbers[place]), counts[begin:end], owners[begin:end], orthogonal
        numbers[place] = run(*calls.of_a_block(), weights, *stretches, *own)

    steps = int(counts.sum()) * blocks
    each, begin = max(1, STEPS_AT_ONCE * len(counts) // max(1, steps)), 0
    while begin < len(counts):
        each_block(partial(block, begin=begin, end=begin + each), blocks, steps * lanes * tangent.field.cost)
        begin += each
    apart = one_by_one(y, n)
    apart[..., 1:] /= scale[:, :, None]
    along, matrices = np.empty((n, 0, *apart.shape[1:])), np.empty((n, 0, k, k))
    if recorded:
        along, matrices = one_by_one(path, n), np.moveaxis(upper, 2, 1).reshape(blocks * lanes, kept, k, k)[:n]
        along[..., 1:] /= scale[:, None, :, None]
    grown = growth.reshape(blocks * lanes, -1, k)[:n]
    return Carried(apart[..., 0].copy(), apart[..., 1:].transpose(0, 2, 1), grown, along, matrices)
