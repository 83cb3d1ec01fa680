"""Compiled loops of a Kalman smoother for a process whose fourth derivative is white noise."""

from __future__ import annotations

import numpy as np

from systems.compiled.loops import Array, loop

LARGEST = 4  # order of the process
VAGUE = 1e8  # variance of the initial state, in units of the other variances
TINY = 1e-300


@loop()
def _transition(h: float, order: int, strength: float, forward: Array, added: Array) -> None:
    """Set the matrices by which a step moves the state (a Taylor polynomial), and the covariance that it adds.

    Parameters
    ----------
    h
        Step.
    order
        Number of derivatives in the state, including the value.
    strength
        Variance of the white noise per unit of time.
    forward, added : shape ``(order, order)``
        Results.
    """
    for i in range(order):
        entry = 1.0
        for j in range(order):
            if j < i:
                forward[i, j] = 0.0
            else:
                entry = 1.0 if j == i else entry * h / (j - i)
                forward[i, j] = entry
    scale = np.ones(order)  # 1 / (order - 1 - i)!
    for i in range(order - 2, -1, -1):
        scale[i] = scale[i + 1] / (order - 1 - i)
    for i in range(order):
        for j in range(order):
            power = 2 * order - 1 - i - j
            added[i, j] = strength * scale[i] * scale[j] * h**power / power


@loop()
def filtered(
    t: Array,
    x: Array,
    seen: Array,
    start: Array,
    strength: float,
    order: int,
    means: Array,
    covariances: Array,
    predicted: Array,
    spreads: Array,
) -> tuple[float, float, int]:
    """Run the filter forward, for noise of unit variance; return the sums of the likelihood and their number of terms.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times, and values.
    seen : shape ``(T,)``
        Which values were measured.
    start : shape ``(order,)``
        Mean of the initial state.
    strength, order
        As in ``_transition``.
    means, covariances, predicted, spreads : shapes ``(T, order)``, ``(T, order, order)`` and the same again
        Results: the state given the values up to each time, and those before it.

    Returns
    -------
    tuple
        Sum of log variances of the innovations, sum of their squares in units of their variances, and their number; without
        the first ``order`` ones, which determine the state.
    """
    forward, added = np.zeros((order, order)), np.zeros((order, order))
    held = np.zeros((order, order))
    logarithms, squares, used = 0.0, 0.0, 0
    for k in range(len(t)):
        if k == 0:
            for i in range(order):
                predicted[0, i] = start[i]
                for j in range(order):
                    spreads[0, i, j] = VAGUE * (1 + strength) if i == j else 0.0
        else:
            _transition(t[k] - t[k - 1], order, strength, forward, added)
            for i in range(order):
                total = 0.0
                for j in range(i, order):
                    total += forward[i, j] * means[k - 1, j]
                predicted[k, i] = total
                for j in range(order):
                    total = 0.0
                    for other in range(i, order):
                        total += forward[i, other] * covariances[k - 1, other, j]
                    held[i, j] = total
            for i in range(order):
                for j in range(i + 1):
                    total = added[i, j]
                    for other in range(j, order):
                        total += held[i, other] * forward[j, other]
                    spreads[k, i, j] = spreads[k, j, i] = total
        if not seen[k]:
            for i in range(order):
                means[k, i] = predicted[k, i]
                for j in range(order):
                    covariances[k, i, j] = spreads[k, i, j]
            continue
        variance = spreads[k, 0, 0] + 1.0
        innovation = x[k] - predicted[k, 0]
        for i in range(order):
            gain = spreads[k, i, 0] / variance
            means[k, i] = predicted[k, i] + gain * innovation
            for j in range(i + 1):
                # the first row and column are written so that large variances do not cancel
                if j == 0:
                    covariances[k, i, j] = gain
                else:
                    covariances[k, i, j] = spreads[k, i, j] - gain * spreads[k, 0, j]
                covariances[k, j, i] = covariances[k, i, j]
        if used >= order:
            logarithms += np.log(variance)
            squares += innovation**2 / variance
        used += 1
    return logarithms, squares, max(0, used - order)


@loop()
def smoothed(t: Array, means: Array, covariances: Array, predicted: Array, spreads: Array, order: int) -> None:
    """Run the smoother of Rauch, Tung and Striebel backward; ``means`` and ``covariances`` become those given all values."""
    forward, added = np.zeros((order, order)), np.zeros((order, order))
    root, gain, right = np.zeros((order, order)), np.zeros((order, order)), np.zeros(order)
    change = np.zeros((order, order))
    for k in range(len(t) - 2, -1, -1):
        _transition(t[k + 1] - t[k], order, 0.0, forward, added)
        scale = np.zeros(order)
        for i in range(order):
            scale[i] = 1 / np.sqrt(spreads[k + 1, i, i] + TINY)
        for i in range(order):  # the Cholesky factor of the correlations
            for j in range(i + 1):
                total = spreads[k + 1, i, j] * scale[i] * scale[j]
                for other in range(j):
                    total -= root[i, other] * root[j, other]
                if i == j:
                    root[i, i] = np.sqrt(max(total, 1e-15))
                else:
                    root[i, j] = total / root[j, j]
        for row in range(order):  # gain = covariances[k] forward^T spreads[k + 1]^-1
            for i in range(order):
                total = 0.0
                for other in range(i, order):
                    total += covariances[k, row, other] * forward[i, other]
                right[i] = total * scale[i]
            for i in range(order):
                total = right[i]
                for j in range(i):
                    total -= root[i, j] * right[j]
                right[i] = total / root[i, i]
            for i in range(order - 1, -1, -1):
                total = right[i]
                for j in range(i + 1, order):
                    total -= root[j, i] * right[j]
                right[i] = total / root[i, i]
            for i in range(order):
                gain[row, i] = right[i] * scale[i]
        for i in range(order):
            total = 0.0
            for j in range(order):
                total += gain[i, j] * (means[k + 1, j] - predicted[k + 1, j])
                inner = 0.0
                for other in range(order):
                    inner += gain[i, other] * (covariances[k + 1, other, j] - spreads[k + 1, other, j])
                change[i, j] = inner
            means[k, i] += total
        for i in range(order):
            for j in range(i + 1):
                total = 0.0
                for other in range(order):
                    total += change[i, other] * gain[j, other]
                covariances[k, i, j] += total
                covariances[k, j, i] = covariances[k, i, j]
