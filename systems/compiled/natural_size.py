"""The sizes of coordinates, compiled: `systems.reference.time_scale.natural_size` for every orbit of a batch."""

from __future__ import annotations

import numpy as np

from systems.compiled.loops import Array, loop

SQUARINGS = 6  # which give the 64th power


@loop(error_model="numpy")
def spectral_radii(matrix: Array, radii: Array) -> None:
    """Estimate the largest modulus of the eigenvalues of matrices (n, D, D) by Gelfand's formula.

    The 64th root of the 64th power is off by some percent, or by the 64th root of how much the units of coordinates differ.
    """
    n, dim = matrix.shape[:2]
    power, square = np.zeros((dim, dim)), np.zeros((dim, dim))
    for k in range(n):
        power[:] = matrix[k]
        logarithm, share = 0.0, 1.0
        for _ in range(SQUARINGS + 1):
            largest = 0.0
            for i in range(dim):
                for j in range(dim):
                    largest = max(largest, abs(power[i, j]))
            if largest == 0.0:
                break
            logarithm += share * np.log(largest)
            share /= 2
            for i in range(dim):
                for j in range(dim):
                    power[i, j] /= largest
                    square[i, j] = 0.0
            for i in range(dim):
                for inner in range(dim):
                    factor = power[i, inner]
                    if factor != 0.0:
                        for j in range(dim):
                            square[i, j] += factor * power[inner, j]
            power, square = square, power
        radii[k] = np.exp(logarithm) if largest > 0.0 else 0.0


@loop(error_model="numpy")
def natural_sizes(z: Array, rate: Array, matrix: Array, fastest: Array, size: Array) -> None:
    """Write the magnitude that each coordinate has now or reaches within a few time scales of the flow.

    Parameters
    ----------
    z, rate : shape (n, D)
        States, and the field there.
    matrix : shape (n, D, D)
        The derivatives of the field.
    fastest : shape (n,)
        The largest modulus of the eigenvalues of each matrix.
    size : shape (n, D)
        Receives the sizes.
    """
    n, dim = z.shape
    term, before = np.zeros(dim), np.zeros(dim)
    for orbit in range(n):
        unit = 1 / fastest[orbit] if fastest[orbit] > 0 else 0.0  # a zero Jacobian gives no time scale
        unit = min(unit, _changed(z[orbit], rate[orbit], matrix[orbit], term, before))
        for i in range(dim):
            size[orbit, i] = abs(z[orbit, i])
            term[i] = rate[orbit, i] * unit
        for _ in range(2 * dim):  # enough for every coordinate to affect every other, even in a chain of oscillators
            for i in range(dim):
                if abs(term[i]) < np.inf:
                    size[orbit, i] = max(size[orbit, i], abs(term[i]))
                before[i] = term[i]
            _times(matrix[orbit], before, term)
            for i in range(dim):
                term[i] *= unit


@loop(error_model="numpy")
def _changed(z: Array, rate: Array, matrix: Array, derivative: Array, before: Array) -> float:
    """Estimate from derivatives the time in which the slowest coordinate changes by its own size, or return infinity."""
    slowest = 0.0
    times = np.full(z.size, np.inf)
    for i in range(z.size):
        derivative[i] = rate[i]
    for order in range(1, 4):
        for i in range(z.size):
            ratio = abs(z[i]) / abs(derivative[i])
            ratio = ratio if order == 1 else np.sqrt(ratio) if order == 2 else np.cbrt(ratio)
            if z[i] != 0 and derivative[i] != 0 and ratio < times[i]:
                times[i] = ratio
            before[i] = derivative[i]
        _times(matrix, before, derivative)
    for i in range(z.size):
        if times[i] < np.inf:
            slowest = max(slowest, times[i])
    return slowest if slowest > 0 else np.inf


@loop(error_model="numpy")
def _times(matrix: Array, vector: Array, product: Array) -> None:
    """Write the product of a matrix and a vector."""
    for row in range(vector.size):
        total = 0.0
        for column in range(vector.size):
            total += matrix[row, column] * vector[column]
        product[row] = total
