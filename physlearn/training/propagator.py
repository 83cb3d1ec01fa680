"""Rates of a linear flow from its steps, for orbits that are too short for splines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import logm

from systems import InputError, Orbit

EQUAL = 1e-6  # relative difference of spacings that are equal
SINGULAR = 1e-10  # relative singular value of the states, below which they lie in a plane


def linear_rates(orbits: Sequence[Orbit]) -> list[Orbit]:
    r"""Return orbits with the rates of the linear flow that best takes each state to the next.

    .. math:: z_{k+1} = P z_k + c, \qquad
        \begin{pmatrix} A & b \\ 0 & 0 \end{pmatrix} = \frac{1}{\Delta t} \log \begin{pmatrix} P & c \\ 0 & 1 \end{pmatrix}

    P and c are fitted by least squares. The principal logarithm is the slowest of the flows with these steps.

    Parameters
    ----------
    orbits
        Single orbits, with NaN where nothing was measured, all at the same spacing in time.

    Returns
    -------
    list of Orbit
        The orbits with the rates A z + b.

    Raises
    ------
    InputError
        If the spacings differ, the steps do not determine P and c, or no real linear flow has these steps.
    """
    spacing = np.concatenate([np.diff(one.t.numpy()) for one in orbits])
    if np.ptp(spacing) > EQUAL * np.abs(spacing).max():
        raise InputError(
            f"a linear flow is found from orbits of two or three states only if they are equally spaced in time, but the "
            f"spacings are from {spacing.min():g} to {spacing.max():g}: give longer orbits, or rates"
        )
    before, after = (np.concatenate([one.z.numpy()[part] for one in orbits]) for part in (slice(-1), slice(1, None)))
    known = np.isfinite(before).all(1) & np.isfinite(after).all(1)
    before, after = before[known], after[known]
    dim = before.shape[1]
    center, scale = (before.mean(0), before.std(0)) if len(before) else (np.zeros(dim), np.zeros(dim))
    scale[scale == 0] = 1.0
    design = np.column_stack([(before - center) / scale, np.ones(len(before))])
    found, _, rank, _ = np.linalg.lstsq(design, (after - center) / scale, rcond=SINGULAR)
    if rank <= dim:
        raise InputError(
            f"a linear flow of {dim} coordinates is found from at least {dim + 1} steps whose first states do not lie in a "
            f"plane, but these {len(before)} steps determine {rank} of its {dim + 1} columns: give more orbits"
        )
    generator = _logarithm(np.vstack([found.T, np.eye(dim + 1)[-1]])) / spacing[0]
    matrix = generator[:dim, :dim] * scale[:, None] / scale
    offset = scale * generator[:dim, dim] - matrix @ center
    return [replace(one, rate=one.z @ torch.from_numpy(matrix).T + torch.from_numpy(offset)) for one in orbits]


def _logarithm(step: Float[np.ndarray, "D D"]) -> Float[np.ndarray, "D D"]:
    """Return the real principal logarithm of a matrix. Raises InputError if it has none."""
    values = np.linalg.eigvals(step)
    real = np.abs(values.imag) <= SINGULAR * np.abs(values).max()
    if (values.real[real] <= SINGULAR * np.abs(values).max()).any():
        raise InputError(
            "no linear flow with real coefficients takes each state to the next, because their best linear map has an "
            f"eigenvalue of {values.real[real].min():.2g}, which is not positive: measure at shorter intervals, or give rates"
        )
    return np.real(logm(step))
