"""Tao's explicit method for Hamiltonians that are not separable, compiled.

The states of several orbits lie side by side, as in `systems.compiled.fixed_step`. An array holds two copies of them: the
positions q and momenta p of the first, then x and y of the second.
"""

from __future__ import annotations

from math import cos, sin
from typing import Any

import numpy as np

from systems.compiled.loops import Array, loop
from systems.compiled.signature import call_into

EXACT: dict[str, Any] = {"error_model": "numpy"}
Q, P, X, Y = range(4)


@loop(**EXACT)
def kick(field: int, p: Array, t: float, h: float, z: Array, at: tuple[int, int], into: tuple[int, int], k: Array) -> None:
    """Move one position and momentum by Hamilton's equations at another; z has a row for each of q, p, x and y."""
    n = z.shape[1]
    for i in range(n):
        k[0, i], k[0, n + i] = z[at[0], i], z[at[1], i]
    call_into(field, t, k[0], p, k, 1)
    for i in range(n):
        z[into[0], i] += h * k[1, i]
        z[into[1], i] += h * k[1, n + i]


@loop(**EXACT)
def rotate(angle: float, ratio: Array, z: Array) -> None:
    """Rotate the differences between the copies by an angle, in units in which positions and momenta have one size."""
    c, s = cos(angle), sin(angle)
    for i in range(z.shape[1]):
        q, q_half = (z[Q, i] + z[X, i]) / 2, (z[Q, i] - z[X, i]) / 2
        p, p_half = (z[P, i] + z[Y, i]) / 2, (z[P, i] - z[Y, i]) / 2
        q_half, p_half = c * q_half + s / ratio[i] * p_half, c * p_half - s * ratio[i] * q_half
        z[Q, i], z[X, i], z[P, i], z[Y, i] = q + q_half, q - q_half, p + p_half, p - p_half


@loop(nogil=True, **EXACT)
def run(
    field: int, p: Array, period: float, clock: float, since: Array, lengths: Array, counts: Array, weights: Array,
    omega: float, ratio: Array, lanes: int, apart: int, begin: int, end: int, taken: int,
    z: Array, out: Array, samples: Array, distance: Array,
) -> int:  # fmt: skip
    """Integrate as `systems.compiled.fixed_step.run` does.

    Parameters
    ----------
    weights, omega
        Lengths of the parts of a step, and the frequency of the spring between the copies.
    ratio : shape (M / 2,)
        Size of each momentum divided by that of its position.
    z : shape (4, M / 2)
        Both copies, which are changed.
    distance : shape (1,)
        The largest distance between the copies of an orbit, which is updated; NaN stays.
    """
    n = z.shape[1]
    k = np.zeros((2, 2 * n))
    for place in range(begin, end):
        dt = lengths[place]
        for j in range(counts[place]):
            elapsed = since[place] + j * dt
            t = clock + elapsed if period == 0.0 else np.remainder(clock + elapsed, period)
            if taken % apart == 0:
                for i in range(n):
                    samples[taken // apart, i], samples[taken // apart, n + i] = z[Q, i], z[P, i]
            for weight in weights:
                h = weight * dt
                kick(field, p, t, h / 2, z, (Q, Y), (X, P), k)
                kick(field, p, t, h / 2, z, (X, P), (Q, Y), k)
                rotate(2 * omega * h, ratio, z)
                kick(field, p, t, h / 2, z, (X, P), (Q, Y), k)
                kick(field, p, t, h / 2, z, (Q, Y), (X, P), k)
            for lane in range(lanes):
                square = 0.0
                for i in range(lane, n, lanes):
                    square += (z[Q, i] - z[X, i]) ** 2 * ratio[i] + (z[P, i] - z[Y, i]) ** 2 / ratio[i]
                if not np.sqrt(square) <= distance[0]:
                    distance[0] = np.sqrt(square)
            taken += 1
        for i in range(n):
            out[place + 1, i], out[place + 1, n + i] = z[Q, i], z[P, i]
    return taken
