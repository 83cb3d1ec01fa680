"""The method of Levenberg and Marquardt for multiple shooting, and the covariance of what it finds.

The loop differs from that of the training of flows: the damping enters the elimination of the states, parameters have bounds,
and a step counts by the part of the predicted gain that it reaches, which orders of magnitude between parameters ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import lsq_linear

from systems.errors import InputError, IntegrationError
from systems.fitting.shooting import Eliminated, Equations, Shooting, eliminate

UNDETERMINED = 1e-7  # singular value of scaled derivatives, relative to the largest, below which there is no information
FIRST_DAMPING, SMALLEST_DAMPING, LARGEST_DAMPING = 1e-3, 1e-14, 1e8
NEAR = 1e-4  # predicted gain, in squared standard errors, at which a fit that rounding stops has converged

Array = np.ndarray


@dataclass(frozen=True)
class Solution:
    """The parameters and states that a minimisation has reached.

    Parameters
    ----------
    values, states : shapes ``(N,)`` and ``(K, D)``
        Parameters, and first states of the segments.
    equations : list of Equations
        The equations there.
    gain : float
        Predicted decrease of the sum of squares by another step.
    converged : bool
        Whether it is small.
    """

    values: Array
    states: Array
    equations: list[Equations]
    gain: float
    converged: bool

    @property
    def cost(self) -> float:
        """Sum of squares."""
        return sum(one.cost for one in self.equations)


def minimise(fit: Shooting, values: Array, states: Array, tolerance: float, most: int) -> Solution:
    """Minimise the sum of squares from some parameters and states.

    Each step is damped by the size of the derivatives of residuals, without those of jumps, so that heavy weights of jumps
    do not hinder motion along orbits.

    Parameters
    ----------
    fit : Shooting
        The equations.
    values, states : shapes ``(N,)`` and ``(K, D)``
        Where to begin.
    tolerance : float
        Predicted decrease at which to end, relative to the sum of squares plus the number of residuals.
    most : int
        Largest number of steps that are tried.

    Raises
    ------
    IntegrationError, InputError
        If the orbits cannot be computed where it begins.
    """
    now = Solution(values, states, fit.equations(values, states), np.inf, False)
    damping, count = FIRST_DAMPING, sum(len(one.residual) for one in now.equations)
    for _ in range(most):
        change, moved, gain = _step(fit, now, damping)
        if gain <= tolerance * (now.cost + count):
            change, moved, gain = _step(fit, now, 0.0)
            if gain <= max(tolerance * (now.cost + count), NEAR):
                last = _tried(fit, now.values + change, now.states + moved)
                now = last if last is not None and last.cost <= now.cost else now
                return replace(now, gain=gain, converged=True)
        later = _tried(fit, now.values + change, now.states + moved)
        ratio = (now.cost - later.cost) / gain if later is not None and gain > 0 else -1.0
        if later is not None and ratio > 1e-4:
            now, damping = later, max(SMALLEST_DAMPING, damping * (0.1 if ratio > 0.25 else 1.0))
        elif damping > LARGEST_DAMPING:
            break
        else:
            damping *= 8
    gain = _step(fit, now, 0.0)[2]
    return replace(now, gain=gain, converged=gain <= NEAR)


def _tried(fit: Shooting, values: Array, states: Array) -> Solution | None:
    try:
        with np.errstate(all="ignore"):
            found = Solution(values, states, fit.equations(values, states), np.inf, False)
    except (InputError, IntegrationError):  # the step was too long
        return None
    return found if np.isfinite(found.cost) else None


def _step(fit: Shooting, now: Solution, damping: float) -> tuple[Array, Array, float]:
    """Return the changes of parameters and states, and the predicted decrease of the sum of squares."""
    root = np.sqrt(damping)
    of_states = np.stack([np.linalg.norm(one.by_state, axis=0) for one in now.equations])
    found = eliminate(fit, now.equations, now.states, root * np.maximum(of_states, 1e-3 / fit.size) if damping else None)
    change = _solved(fit, found, now, root)
    moved = found.states(change)
    after = 0.0
    for place, one in enumerate(now.equations):
        residual = one.residual + one.by_state @ moved[place] + one.by_values @ change
        jump = one.jump + one.jump_by_state @ moved[place] + one.jump_by_values @ change
        if len(jump):
            jump = jump - one.join * moved[place + 1]
        after += float(residual @ residual + jump @ jump)
    return change, moved, now.cost - after


def _solved(fit: Shooting, found: Eliminated, now: Solution, root: float) -> Array:
    n = len(now.values)
    if n == 0:
        return np.zeros(0)
    norms = _column_norms(now.equations)
    rows, right = _determined(found.left[:, :-1] / norms, found.left[:, -1])
    rows, right = np.concatenate([rows, root * np.eye(n)]), np.concatenate([right, np.zeros(n)])
    change = np.linalg.lstsq(rows, right, rcond=None)[0]
    low, high = (fit.unknown.low - now.values) * norms, (fit.unknown.high - now.values) * norms
    if ((change < low) | (change > high)).any():
        change = lsq_linear(rows, right, (np.minimum(low, 0.0), np.maximum(high, 1e-300)), tol=1e-14).x
    return np.asarray(np.clip(now.values + change / norms, fit.unknown.low, fit.unknown.high) - now.values)


def _determined(matrix: Array, right: Array) -> tuple[Array, Array]:
    """Return equations without the directions of which they say nothing."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    kept = _informative(s)
    return s[kept, None] * v[kept], u[:, kept].T @ right


def _informative(s: Array) -> Array:
    """Return which singular values of the scaled derivatives are more than rounding errors.

    The scale is that of the derivatives before the states are eliminated, which may absorb nearly all of them.
    """
    return np.asarray(s > UNDETERMINED * max(s.max(initial=0.0), 1e-3))


def _column_norms(equations: Sequence[Equations]) -> Array:
    """Return the norm of the derivatives of all residuals by each parameter; 1 if it is zero."""
    square = sum(np.einsum("mn,mn->n", one.by_values, one.by_values) for one in equations)
    return np.where(square > 0, np.sqrt(square), 1.0)


@dataclass(frozen=True)
class Covariance:
    """Covariances of the parameters and of the initial states, in units of the noise that the equations assume.

    Parameters
    ----------
    values : shape ``(N, N)``
        Covariance of the parameters, infinite on the diagonal for those that are not determined.
    states : shape ``(K, D)``
        Variance of the first state of the first segment of each run, and NaN for other segments.
    undetermined : list of array
        Directions ``(N,)`` in units of the column norms, along which the data have no information.
    """

    values: Array
    states: Array
    undetermined: list[Array]


def covariance(fit: Shooting, solution: Solution, free: Array) -> Covariance:
    """Return the covariances, with parameters at their bounds held fixed: ``free`` (N,) tells which are not."""
    found = eliminate(fit, solution.equations, solution.states)
    n = len(solution.values)
    norms = _column_norms(solution.equations)
    values, directions = np.zeros((n, n)), []
    if free.any():
        _, s, v = np.linalg.svd((found.left[:, :-1] / norms)[:, free], full_matrices=True)
        s = np.pad(s, (0, int(free.sum()) - len(s)))
        kept = _informative(s)
        inner = v[kept].T / s[kept]
        values[np.ix_(free, free)] = inner @ inner.T / np.outer(norms[free], norms[free])
        for direction in v[~kept]:
            whole = np.zeros(n)
            whole[free] = direction
            directions.append(whole)
    states = np.full_like(solution.states, np.nan)
    for place, row in enumerate(found.rows):
        if fit.first(place):
            dim = len(row)
            inverse = np.linalg.inv(row[:, :dim])
            slope = inverse @ row[:, 2 * dim : -1]
            states[place] = np.diag(slope @ values @ slope.T + inverse @ inverse.T)
    for direction in directions:
        lost = np.abs(direction) > 1e-3
        values[lost], values[:, lost] = np.nan, np.nan
        values[lost, lost] = np.inf
    return Covariance(values, states, directions)
