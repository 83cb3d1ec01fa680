"""The linear symmetries that a learned flow has to within its error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from math import cos, pi, sin
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from physlearn.flow import Flow, FlowLike
from physlearn.models.group import Group
from physlearn.models.scaling import spread
from systems import InputError, Orbit

PARTS = (3, 4, 5, 6)  # rotations by a whole turn divided by these
MOST = 6  # coordinates of which all combinations of signs are tried
TWICE = 2.0  # errors of a defect: that of the state and that of its image
ROUNDING = 1e-12


def found_symmetries(flow: FlowLike, orbits: Orbit, candidates: Mapping[str, Any] | None = None) -> pd.DataFrame:
    r"""Test which linear symmetries a learned flow has to within its error on some orbits.

    The defect of a candidate S is the root mean square of :math:`f(S z) \mp S f(z)` over the states, and the error is that of
    the learned rates. Both are in units of the spread of each rate. A symmetry is found if its defect is at most twice the
    error. Images of the states that are far from the training data have large defects, even if the true flow is symmetric.

    Parameters
    ----------
    flow
        A trained forecaster or another flow.
    orbits
        Orbits with rates, better not those of the training.
    candidates
        Matrices ``(D, D)`` or pairs (matrix, -1) of those that reverse time, by name. By default, changes of the signs of
        coordinates (of all combinations for at most 6 coordinates), exchanges of coordinates or degrees of freedom, and
        rotations of two of them by a third to a sixth of a turn, each with and without the reversal of time. Coordinates form
        degrees of freedom, positions before momenta, if their number is even and at least 4.

    Returns
    -------
    DataFrame, one row per candidate, the smallest defect first
        ``reverses`` (whether time is reversed), ``defect``, ``error`` and ``found``.

    Raises
    ------
    InputError
        If the orbits have no rates, or a candidate is not a matrix of this size.

    Examples
    --------
    >>> import systems
    >>> pendulum = systems.get("pendulum")
    >>> table = found_symmetries(pendulum, pendulum.orbit(pendulum.sample(3), torch.linspace(0, 1, 5)))
    >>> sorted(table[table.found].index)
    ['-p, reversed', '-theta -p', '-theta, reversed']
    """
    if orbits.rate is None:
        raise InputError("symmetries are compared with the error of the rates, but the orbits have none: give simulated ones")
    field, dim = Flow.of(flow).field, orbits.dim
    known = (orbits.measured & orbits.rate.isfinite()).all(-1)
    z, rate = orbits.z[known].double(), orbits.rate[known].double()
    size = spread(rate)[0]

    def off(found: Tensor, wanted: Tensor) -> float:
        return float(((found - wanted) / size).square().mean().sqrt())

    with torch.no_grad():
        learned, zero = field(z.new_zeros(()), z), z.new_zeros(())
        error = max(off(learned, rate), ROUNDING)
        rows = []
        for name, one in _usual(orbits.coordinates) if candidates is None else candidates.items():
            matrix, sign = Group.element(one)
            if len(matrix) != dim:
                raise InputError(
                    f"the candidate {name} has shape {tuple(matrix.shape)}, but the orbits have {dim} coordinates"
                )
            defect = off(field(zero, z @ matrix.T), sign * learned @ matrix.T)
            rows.append((name, sign < 0, defect, error, defect <= TWICE * error))
    table = pd.DataFrame(rows, columns=["symmetry", "reverses", "defect", "error", "found"]).set_index("symmetry")
    return table.sort_values("defect", kind="stable")


def _usual(coordinates: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield candidates, with and without the reversal of time."""
    for name, matrix in _maps(coordinates):
        yield name, matrix
        yield f"{name}, reversed", (matrix, -1)


def _maps(coordinates: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
    dim = len(coordinates)
    most = dim if dim <= MOST else 1
    for signs in product((1.0, -1.0), repeat=dim):
        if 0 < signs.count(-1.0) <= most or signs.count(-1.0) == dim:
            yield " ".join(f"-{name}" for name, sign in zip(coordinates, signs, strict=True) if sign < 0), np.diag(signs)
    paired = dim % 2 == 0 and dim >= 4
    n = dim // 2 if paired else dim
    for i, j in combinations(range(n), 2):
        pairs = [(i, j), (i + n, j + n)] if paired else [(i, j)]
        what = f"{coordinates[i]} and {coordinates[j]}"
        exchange = np.eye(dim)
        for a, b in pairs:
            exchange[[a, b]] = exchange[[b, a]]
        yield f"exchange of {what}", exchange
        for parts in PARTS:
            turn = np.eye(dim)
            for a, b in pairs:
                c, s = cos(2 * pi / parts), sin(2 * pi / parts)
                turn[np.ix_([a, b], [a, b])] = [[c, -s], [s, c]]
            yield f"rotation of {what} by 1/{parts} turn", turn
