r"""Compiled loops that move states along a field that is linear in its coefficients, with their derivatives.

Each product of a library is another one times a feature, so that all of them take one multiplication each. With the matrix C
of their coefficients, the rates are :math:`f = C \varphi(z) + b`. The derivatives Y of a state by the first state and by the
coefficients c move by

.. math:: \dot Y = \frac{\partial f}{\partial z}\,Y + \frac{\partial f}{\partial c}, \qquad
    \frac{\partial f_d}{\partial c_p} = \sum_k M_{pkd}\,\varphi_k .
"""

from __future__ import annotations

from math import pi
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.linear_field import LinearField
from systems.compiled.dop853_stages import A, B
from systems.compiled.loops import Array, loop

FAST: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": {"reassoc", "contract", "nsz", "arcp"}}
STAGES = len(B)


class Terms(NamedTuple):
    """A linear field as the loops see it; it has products of K terms, of which the first is the constant.

    Attributes
    ----------
    turning, wavenumber : shape ``(n,)``
        Indices of the coordinates that are angles, and 2 pi divided by their periods.
    rest, feature : shape ``(K,)``
        Each product but the first is this other product times this feature.
    matrix : shape ``(D, K)``
        The coefficients of the products.
    slopes : shape ``(D, D, K)``
        Those of the products in the derivatives of the rates by the state.
    drift : shape ``(D,)``
        Known rates.
    place : shape ``(m, 3)``
        Coefficient p, product k and coordinate d of each value of M that is not zero.
    part : shape ``(m,)``
        These values.
    """

    turning: Array
    wavenumber: Array
    rest: Array
    feature: Array
    matrix: Array
    slopes: Array
    drift: Array
    place: Array
    part: Array


def terms_of(field: LinearField, coefficients: Float[Tensor, " P"]) -> Terms:
    """Return a field with these coefficients as the loops see it."""
    library = field.library
    rest, feature = library.factors
    place = torch.tensor(library.places, dtype=torch.long)

    def among_all(products: Tensor) -> np.ndarray:
        """Return coefficients of the products (last axis) among all products that are computed."""
        found = products.new_zeros(*products.shape[:-1], len(rest))
        found[..., place] = products
        return found.numpy()

    p, k, d = field.parts.nonzero(as_tuple=True)
    return Terms(
        turning=np.array(sorted(library.angles), np.int64),
        wavenumber=np.array([2 * pi / library.angles[i] for i in sorted(library.angles)], float),
        rest=rest,
        feature=feature,
        matrix=among_all(field.matrix(coefficients).T),
        slopes=among_all(field.by_state(coefficients)),
        drift=field.drift.numpy(),
        place=torch.stack([p, place[k], d], dim=1).numpy(),
        part=field.parts[p, k, d].numpy(),
    )


@loop(**FAST)
def _rates(terms: Any, z: Array, x: Array, values: Array, f: Array) -> None:
    """Write the products at a state, and the rates; x receives the features."""
    D, K = terms.matrix.shape
    x[:D] = z
    for i in range(len(terms.turning)):
        phase = terms.wavenumber[i] * z[terms.turning[i]]
        x[terms.turning[i]] = np.cos(phase)
        x[D + i] = np.sin(phase)
    values[0] = 1.0
    for k in range(1, K):
        values[k] = values[terms.rest[k]] * x[terms.feature[k]]
    for d in range(D):
        total = terms.drift[d]
        for k in range(K):
            total += terms.matrix[d, k] * values[k]
        f[d] = total


@loop(**FAST)
def follow(terms: Any, start: Array, t: Array, substeps: Array, found: Array) -> None:
    """Write the states at the times of segments, by steps of order 8.

    Parameters
    ----------
    terms
        The field.
    start : shape ``(W, D)``
        First states.
    t : shape ``(W, n)``
        Times.
    substeps : shape ``(n - 1,)``, int64
        Number of equal steps from each time to the next.
    found : shape ``(W, n, D)``
        Output: the states.
    """
    W, D = start.shape
    K = terms.matrix.shape[1]
    x, values, z, at = np.empty(D + len(terms.turning)), np.empty(K), np.empty(D), np.empty(D)
    stages = np.empty((STAGES, D))
    for w in range(W):
        z[:] = start[w]
        found[w, 0] = z
        for step in range(t.shape[1] - 1):
            h = (t[w, step + 1] - t[w, step]) / substeps[step]
            if h != 0.0:
                for _ in range(substeps[step]):
                    for i in range(STAGES):
                        for d in range(D):
                            total = 0.0
                            for j in range(i):
                                total += A[i, j] * stages[j, d]
                            at[d] = z[d] + h * total
                        _rates(terms, at, x, values, stages[i])
                    for d in range(D):
                        total = 0.0
                        for i in range(STAGES):
                            total += B[i] * stages[i, d]
                        z[d] += h * total
            found[w, step + 1] = z


@loop(**FAST)
def differentiate(terms: Any, start: Array, t: Array, substeps: Array, found: Array) -> None:
    """Write the derivatives of the states of segments by their first states and by the coefficients, by the classical method.

    Parameters
    ----------
    terms, start, t, substeps
        The field and the segments, as for `follow`.
    found : shape ``(W, n, D, D + P)``
        Output: the derivatives.
    """
    W, D = start.shape
    K, width = terms.matrix.shape[1], found.shape[3]
    x, values, f = np.empty(D + len(terms.turning)), np.empty(K), np.empty(D)
    z, at, moved = np.empty(D), np.empty(D), np.empty(D)
    Y, other, rate, total = np.empty((D, width)), np.empty((D, width)), np.empty((D, width)), np.empty((D, width))
    for w in range(W):
        z[:] = start[w]
        Y[:] = 0.0
        for d in range(D):
            Y[d, d] = 1.0
        found[w, 0] = Y
        for step in range(t.shape[1] - 1):
            h = (t[w, step + 1] - t[w, step]) / substeps[step]
            if h != 0.0:
                for _ in range(substeps[step]):
                    at[:] = z
                    moved[:] = z
                    total[:] = Y
                    for stage in range(4):
                        share = h / 6 if stage == 0 or stage == 3 else h / 3
                        ahead = h / 2 if stage < 2 else h
                        _rates(terms, at, x, values, f)
                        now = Y if stage == 0 else other
                        for c in range(D):
                            row = rate[c]
                            row[:] = 0.0
                            for e in range(D):
                                slope = 0.0
                                for k in range(K):
                                    slope += terms.slopes[c, e, k] * values[k]
                                if slope != 0.0:
                                    for i in range(width):
                                        row[i] += slope * now[e, i]
                        for m in range(len(terms.part)):
                            p, k, d = terms.place[m]
                            rate[d, D + p] += terms.part[m] * values[k]
                        for c in range(D):
                            moved[c] += share * f[c]
                            at[c] = z[c] + ahead * f[c]
                            for i in range(width):
                                total[c, i] += share * rate[c, i]
                        if stage < 3:
                            for c in range(D):
                                for i in range(width):
                                    other[c, i] = Y[c, i] + ahead * rate[c, i]
                    z[:] = moved
                    Y[:] = total
            found[w, step + 1] = Y
