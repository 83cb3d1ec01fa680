"""Covariant Lyapunov vectors: the directions along an orbit in which deviations grow at the Lyapunov exponents."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.variational import TOGETHER, between_renormalisations, carry, deviations
from physlearn.flow import FlowLike
from physlearn.integrators import find
from systems import AccuracyWarning, InputError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.errors import outside
from systems.floats import takes_arrays
from systems.sampling import generator
from systems.size import check_memory

CONVERGED = 0.01  # largest distance between the unit vectors from two independent starts


@dataclass(frozen=True, repr=False)
class CovariantVectors(Brief):
    """Covariant Lyapunov vectors at S + 1 times along orbits.

    Parameters
    ----------
    t : shape ``(S + 1,)``
        Times after the transient, from 0.
    z : shape ``(..., S + 1, D)``
        States.
    vectors : shape ``(..., S + 1, D, k)``
        Vectors of length one, as columns, in the order of their exponents; NaN for orbits that escaped. Their signs are
        arbitrary, but do not change along the orbit.
    growth : shape ``(..., S, k)``
        Mean growth rate of each vector from each time to the next [1 / time].
    error : shape ``(..., k)``
        Largest distance between the unit vectors from two independent starts, at the first and at the last time.
    """

    t: Float[Tensor, " S1"]
    z: Float[Tensor, "*batch S1 D"]
    vectors: Float[Tensor, "*batch S1 D k"]
    growth: Float[Tensor, "*batch S k"]
    error: Float[Tensor, "*batch k"]

    @property
    def exponents(self) -> Float[Tensor, "*batch k"]:
        """Mean growth rate of each vector over the whole time, which tends to its Lyapunov exponent."""
        length = self.t.diff()
        return (self.growth * length[:, None]).sum(-2) / length.sum()

    def angles(self) -> Float[Tensor, "*batch S1 k k"]:
        """Return the angle between each two vectors, from 0 to pi/2.

        Returns
        -------
        Tensor, shape ``(..., S + 1, k, k)``
            Angles [rad], which are near zero where the vectors are nearly tangent.
        """
        return (self.vectors.mT @ self.vectors).abs().clamp(max=1).acos()


@takes_arrays("z0")
@unrecorded
def covariant_vectors(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    transient: float,
    k: int | None = None,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> CovariantVectors:
    r"""Compute covariant Lyapunov vectors by the method of Ginelli et al.

    .. math:: D\Phi\, Q_n = Q_{n+1} R_{n+1}, \qquad C_n \propto R_{n+1}^{-1} C_{n+1}, \qquad V_n = Q_n C_n

    The orthonormal vectors Q are carried forward, and then the triangular coefficients C backward. The tangent map takes a
    covariant vector to the covariant vector at the later time, which is not so for the orthonormal vectors. Both directions
    begin with a transient, in which the vectors forget their start at the rate of the differences between the exponents. The
    whole computation is done twice, from independent starts, and ``error`` holds the difference.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states. The result has their dtype and device.
    time
        Time along which the vectors are returned.
    transient
        Time before and, again, after that, in which the vectors converge.
    k
        Number of vectors, from 1 to D; by default, D.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. The vectors are returned after every tenth step.
    seed
        Random seed for the deviation vectors. They are measured in units of the orbit's own spread while they are carried, but
        are returned with the Euclidean length one.
    method
        An explicit integrator, as in `lyapunov_exponents`.

    Returns
    -------
    CovariantVectors
        States, vectors, growth rates and errors.

    Raises
    ------
    InputError
        For invalid arguments, or if the vectors do not fit in memory.

    Warns
    -----
    AccuracyWarning
        If the unit vectors of the two computations differ by more than 0.01: the transient is too short, or two exponents are
        equal, as the two zeros of a Hamiltonian flow are, and only the plane of the two vectors is defined.
    UserWarning
        If some orbits are not resolved even with smaller steps.

    References
    ----------
    Ginelli, Poggi, Turchi, Chate, Livi, Politi, Phys. Rev. Lett. 99, 130601 (2007).

    Examples
    --------
    >>> def saddle(t, z):  # the directions of growth and decay are (1, 0) and (1, -3)
    ...     x, y = z.unbind(-1)
    ...     return torch.stack([x + y, -2 * y], dim=-1)
    >>> found = covariant_vectors(saddle, torch.zeros(2, dtype=torch.float64), time=1.0, transient=10.0)
    >>> print([f"{x:.4f}" for x in (found.vectors[0, 1] / found.vectors[0, 0]).abs()])
    ['0.0000', '3.0000']
    >>> print([f"{x:.4f}" for x in found.exponents])
    ['1.0000', '-2.0000']
    """
    if not 0 < transient < inf:
        raise InputError(f"transient must be a positive, finite time, in which the vectors converge, not {transient}")
    rollout = Rollout.of(flow, z0, time, dt, method)
    n, dim = rollout.z.shape
    k = dim if k is None else k
    margin = max(1, round(transient / rollout.dt))
    stretches = (rollout.steps + 2 * margin) // TOGETHER
    check_memory(4.0 * n * stretches * dim * (1 + dim), f"covariant vectors at {stretches:g} times")
    start = torch.cat([deviations(rollout.z, k, seed), deviations(rollout.z, k, seed + 1)])
    resolution = resolve(replace(rollout, steps=2 * margin + rollout.steps))
    before, along, after = (
        list(between_renormalisations(steps, first))
        for steps, first in ((margin, 0), (rollout.steps, margin), (margin, margin + rollout.steps))
    )
    count = len(along) + 1
    z = torch.empty(n, count, dim, dtype=rollout.z.dtype, device=rollout.z.device)
    vectors, growth = z.new_empty(2 * n, count, dim, k), z.new_empty(n, count - 1, k)
    for rows, group in resolution.groups(rollout):
        if not len(rows):
            continue
        parts = group.steps // rollout.steps
        twice = torch.cat([rows, rows + n])
        double = replace(group, z=group.z.repeat(2, 1))
        scale = resolution.scale[rows].repeat(2, 1)
        path, upper = _forward(double, start[twice], scale, [*before, *along, *after], parts)
        kept = slice(len(before) - 1, len(before) + len(along))
        c, lengths = _backward(upper[:, len(before) :], count, seed)
        found = scale[:, None, :, None] * (path[:, kept, :, 1:] @ c)
        size = found.norm(dim=-2)
        rates = (lengths + size.log().diff(dim=1)) / (_lengths(along) * rollout.dt).to(z)[:, None]
        vectors[twice], growth[rows] = found / size.unsqueeze(-2), rates[: len(rows)]
        z[rows] = path[: len(rows), kept, :, 0]
    resolution.warn(rollout, "their covariant vectors may be artefacts of the integrator")
    error = _difference(vectors[:n, [0, -1]], vectors[n:, [0, -1]])
    _warn(error)
    t = torch.cat([torch.zeros(1, dtype=torch.float64), _lengths(along).cumsum(0) * rollout.dt])
    shape = rollout.batch
    result = CovariantVectors(
        t=t.to(z),
        z=z.reshape(*shape, count, dim),
        vectors=vectors[:n].reshape(*shape, count, dim, k),
        growth=growth.reshape(*shape, count - 1, k),
        error=error.reshape(*shape, k),
    )
    return rollout.rounded(result)


def _lengths(stretches: list[tuple[int, int]]) -> Float[Tensor, " S"]:
    """Return the number of steps of each stretch."""
    return torch.tensor([steps for _, steps in stretches], dtype=torch.float64)


def _forward(
    rollout: Rollout, w: Float[Tensor, "n k D"], scale: Float[Tensor, "n D"], stretches: list[tuple[int, int]], parts: int
) -> tuple[Float[Tensor, "n S D 1+k"], Float[Tensor, "n S k k"]]:
    """Return the state and the orthonormal vectors after each stretch, and the triangular matrix of each stretch."""
    if rollout.compiled is not None:
        counts = parts * np.array([steps for _, steps in stretches])
        method, none = find(rollout.method)(rollout.flow), np.full(len(counts), -1)
        *_, path, upper = rollout.compiled.carried(
            method, rollout.z, w, scale, rollout.dt, counts, none, orthogonal=True, recorded=True
        )
        return path, upper
    z, states, matrices = rollout.z, [], []
    for first, steps in stretches:
        z, w = carry(rollout, first * parts, steps * parts, z, w, scale)
        gone = ~(z.isfinite().all(-1) & w.isfinite().all(-1).all(-1))
        q, r = torch.linalg.qr(w.masked_fill(gone[:, None, None], 0.0).mT)
        signs = r.diagonal(dim1=-2, dim2=-1).sign()
        q = (q * signs[:, None]).masked_fill(gone[:, None, None], torch.nan)
        z, w = z.masked_fill(gone[:, None], torch.nan), q.mT.contiguous()
        states.append(torch.cat([z.unsqueeze(-1), q], dim=-1))
        matrices.append((signs.unsqueeze(-1) * r).masked_fill(gone[:, None, None], torch.nan))
    return torch.stack(states, dim=1), torch.stack(matrices, dim=1)


def _backward(
    upper: Float[Tensor, "n S k k"], count: int, seed: int
) -> tuple[Float[Tensor, "n count k k"], Float[Tensor, "n count-1 k"]]:
    """Carry triangular coefficients backward; return those of the first times, and the logarithms of their growth."""
    n, stretches, k = upper.shape[:3]
    drawn = torch.randn(2, k, k, generator=generator(1, seed), dtype=torch.float64).to(upper)
    c = (drawn.triu(1) + torch.eye(k).to(upper)).repeat_interleave(n // 2, dim=0)
    coefficients, growth = upper.new_empty(n, count, k, k), upper.new_empty(n, count - 1, k)
    for number in range(stretches, -1, -1):
        length = c.norm(dim=-2)
        c = c / length.unsqueeze(-2)
        if number < count:
            coefficients[:, number] = c
        if number < count - 1:
            growth[:, number] = -length.log()
        if number:
            c = torch.linalg.solve_triangular(upper[:, number - 1], c, upper=True)
    return coefficients, growth


def _difference(one: Float[Tensor, "n 2 D k"], other: Float[Tensor, "n 2 D k"]) -> Float[Tensor, "n k"]:
    """Return the largest distance between unit vectors, whose signs are arbitrary."""
    nearest = torch.minimum((one - other).norm(dim=-2), (one + other).norm(dim=-2))
    return nearest.amax(1).clamp(max=1)


def _warn(error: Float[Tensor, "n k"]) -> None:
    """Warn the caller about vectors that depend on their start."""
    if bool((error > CONVERGED).any()):
        largest = error.nan_to_num(0.0).amax(0)
        worst = int(largest.argmax())
        warnings.warn(
            f"covariant vector {worst} differs by up to {float(largest[worst]):.2g} between two independent starts; use a "
            "longer transient, unless two exponents are equal, which defines only the plane of their vectors",
            AccuracyWarning,
            stacklevel=outside(),
        )
