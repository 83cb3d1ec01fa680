r"""Coefficients of a field from measured states, by multiple shooting: the method of Gauss and Newton.

.. math:: \min_{c, s} \sum_w \sum_{j, i} \frac{(z_i(t_{wj}; s_w, c) - \hat z_{wji})^2}{\sigma_i^2}

A segment w of an orbit has an initial state :math:`s_w` of its own, which is fitted with the coefficients and eliminated from
the equations. All segments are integrated together. The field is linear in its coefficients, so its derivatives by them are
the library itself, and the normal equations of groups of orbits tell which terms are needed; the windows of networks
(`physlearn.training.flow_errors`) have neither.

References
----------
Bock, Multiple shooting for parameter identification, in: Progress in Scientific Computing 2, 95 (1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from math import ceil

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.models.linear_field import LinearField
from physlearn.models.units import Units
from physlearn.training.levenberg_marquardt import Damping
from physlearn.training.library_loops import differentiate, follow, terms_of
from systems import InputError, Orbit

LONGEST = 0.3  # step of an integration, in units of the time scale
GAP = 6.3  # step between states, in these units, at which an orbit is divided: about a turn
SMALLEST_NOISE = 1e-9  # relative to the spread of a coordinate: that of orbits without noise
SINGULAR = 1e-12  # eigenvalue of the scaled equations, relative to the largest, below which there is no information
COARSE, FINE = 1e-3, 1e-9  # predicted decrease of the sum of squares, relative to it, at which a fit ends
ROUNDS, SAME = 4, 1.02  # in which the noise is estimated again, and the change of the ratio of two noises that ends them


@dataclass(frozen=True)
class Segments:
    """Parts of measured orbits, in units in which states and times are of order one.

    Parameters
    ----------
    t : shape ``(W, n)``
        Times; shorter segments repeat their last one.
    z, start : shapes ``(W, n, D)`` and ``(W, D)``
        Measured states, NaN where nothing was measured, and smoothed first states. A segment begins where these are known.
    run : shape ``(W,)``
        Index of the orbit.
    """

    t: Float[Tensor, "W n"]
    z: Float[Tensor, "W n D"]
    start: Float[Tensor, "W D"]
    run: Int[Tensor, " W"]

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(cls, measured: Sequence[Orbit], smooth: Sequence[Orbit], units: Units, length: int) -> Segments:
        """Return segments of at most ``length`` states. Raises InputError if no orbit has two states without a gap."""
        parts: list[tuple[Tensor, Tensor, Tensor, int]] = []
        for run, (orbit, other) in enumerate(zip(measured, smooth, strict=True)):
            seen = orbit.measured.any(-1)
            t = (orbit.t / units.time)[seen]
            z, start = (((one.z - units.center) / units.scale)[seen] for one in (orbit, other))
            known = start.isfinite().all(-1).tolist()
            broken = (np.flatnonzero((t.diff().abs() > GAP).numpy()) + 1).tolist()
            for a, b in zip([0, *broken], [*broken, len(t)], strict=True):
                pieces = max(1, ceil((b - a) / length))
                ends = np.linspace(a, b, pieces + 1).astype(int).tolist()
                for i, j in pairwise(ends):
                    first = next((k for k in range(i, j) if known[k]), j)
                    if j - first > 1:
                        parts.append((t[first:j], z[first:j], start[first], run))
        if not parts:
            raise InputError("no two measured states are less than a turn apart: measure more often, or give the rates")
        most = max(len(part[0]) for part in parts)
        t = torch.stack([torch.cat([part[0], part[0][-1:].expand(most - len(part[0]))]) for part in parts])
        z = torch.stack(
            [torch.cat([part[1], part[1].new_full((most - len(part[1]), part[1].shape[1]), torch.nan)]) for part in parts]
        )
        return cls(t, z, torch.stack([part[2] for part in parts]), torch.tensor([part[3] for part in parts]))

    @property
    def values(self) -> Int[Tensor, " D"]:
        """The number of measured values of each coordinate."""
        return (~self.z.isnan()).sum((0, 1))


@dataclass(frozen=True)
class Equations:
    """Linearised equations for changes of the coefficients, after the states have been eliminated.

    Parameters
    ----------
    matrix, right : shapes ``(R, P, P)`` and ``(R, P)``
        Normal equations of each group of orbits, in units of the noise.
    cost : shape ``(R,)``
        Sums of squares.
    states : shapes ``(W, D, P + 1)``
        The best changes of the states: without a change of the coefficients (last), and minus those for each of them.
    """

    matrix: Float[Tensor, "R P P"]
    right: Float[Tensor, "R P"]
    cost: Float[Tensor, " R"]
    states: Float[Tensor, "W D P1"]


@dataclass(frozen=True)
class Shot:
    """A fit by shooting.

    Parameters
    ----------
    field : LinearField
        The field.
    segments : Segments
        The data.
    coefficients : shape ``(P,)``
        Its coefficients.
    start : shape ``(W, D)``
        Initial states of the segments.
    noise : shape ``(D,)``
        Standard deviation of the noise of each coordinate.
    converged : bool
        Whether the fit converged.
    """

    field: LinearField
    segments: Segments
    coefficients: Float[Tensor, " P"]
    start: Float[Tensor, "W D"]
    noise: Float[Tensor, " D"]
    converged: bool = False

    @property
    def freedom(self) -> int:
        """The number of measured values minus that of unknowns."""
        return int(self.segments.values.sum()) - self.start.numel() - len(self.field)

    @cached_property
    def residual(self) -> Float[Tensor, "W n D"]:
        """Measured minus computed states, 0 where nothing was measured."""
        found = self.segments.z - _orbits(self.field, self.coefficients, self.start, self.segments.t)
        return torch.where(self.segments.z.isnan(), 0.0, found)

    def cost(self) -> float:
        """Return the sum of squares in units of the noise."""
        return float((self.residual / self.noise).square().sum())

    def reweighted(self) -> Shot:
        """Return the fit with the noise that the residuals have."""
        count = self.segments.values
        share = max(self.freedom, 1) / int(count.sum())
        noise = (self.residual.square().sum((0, 1)) / (count.clamp(min=1) * share)).sqrt()
        return replace(self, noise=noise.clamp(min=SMALLEST_NOISE).nan_to_num(1.0, posinf=1.0))

    def equations(self, groups: Tensor | None = None) -> Equations:
        """Return the linearised equations, for each group of segments, or for all together."""
        seg, noise = self.segments, self.noise
        by_state, by_values = _sensitivities(self.field, self.coefficients, self.start, seg.t)
        w, n, d = seg.z.shape
        seen = (~seg.z.isnan()).double() / noise
        residual = (self.residual / noise).reshape(w, n * d, 1)
        left = (by_state * seen.unsqueeze(-1)).reshape(w, n * d, d)
        right = torch.cat([(by_values * seen.unsqueeze(-1)).reshape(w, n * d, -1), residual], dim=-1)
        q, r = torch.linalg.qr(left)
        inner = q.mT @ right
        rest = right - q @ inner
        groups = torch.zeros(w, dtype=torch.long) if groups is None else groups
        count, p = int(groups.max()) + 1, right.shape[-1] - 1
        square = torch.zeros(count, p + 1, p + 1, dtype=torch.float64)
        for group in range(count):
            part = rest[groups == group].flatten(0, 1)
            square[group] = part.T @ part
        size = torch.diagonal(r, dim1=-2, dim2=-1).abs()
        small = size <= 1e-12 * size.amax(-1, keepdim=True)  # directions that the segment does not determine
        r = r + torch.diag_embed(1e300 * small.double())
        states = torch.linalg.solve_triangular(r, inner, upper=True)
        return Equations(square[:, :p, :p], square[:, :p, p], square[:, p, p], states)

    def minimised(self, tolerance: float, most: int = 40) -> Shot:
        """Return the fit that damped steps of Gauss and Newton reach."""
        now, cost, damping = self, self.cost(), Damping(now=1e-4, lower=10, higher=10, least=1e-14, most=1e8)
        if not np.isfinite(cost):
            return replace(now, converged=False)
        for _ in range(most):
            equations = now.equations()
            if not (equations.matrix.isfinite().all() and equations.right.isfinite().all()):
                return replace(now, converged=False)
            found = damping.accepted(partial(now._tried, equations, cost, tolerance))
            if found is None:  # rounding is all that remains
                return replace(now, converged=True)
            now, reached, gain = found
            enough = tolerance * (cost + self.freedom)
            if cost - reached <= enough and gain <= enough:
                return replace(now, converged=True)
            cost = reached
        return now

    def _tried(self, found: Equations, cost: float, tolerance: float, damping: float) -> tuple[Shot, float, float] | None:
        """Return the fit after a damped step, its cost and the predicted gain, or None if the step makes the cost larger."""
        matrix, right = found.matrix.sum(0), found.right.sum(0)
        change = solved(matrix, right, damping)
        gain = float(change @ (2 * right - matrix @ change))
        states = found.states[..., -1] - found.states[..., :-1] @ change
        trial = replace(self, coefficients=self.coefficients + change, start=self.start + states)
        reached = trial.cost()
        better = reached < cost or (reached <= cost * (1 + 1e-12) and gain <= tolerance * cost)
        return (trial, reached, gain) if better else None

    def settled(self, tolerance: float = COARSE) -> Shot:
        """Return the fit with the noise that it leaves, which is estimated a few times."""
        now = self.reweighted()
        for _ in range(ROUNDS):
            before = now.noise
            now = now.minimised(COARSE).reweighted()
            ratio = now.noise / before
            if not now.converged or float(ratio.max() / ratio.min()) < SAME:
                break
        return now.minimised(tolerance).reweighted() if tolerance < COARSE else now

    def longer(self, segments: Segments) -> Shot:
        """Return the fit for longer segments of the same orbits, before it is minimised."""
        return replace(self, segments=segments, start=_nearest(self.segments, self.start, segments), converged=False)


def solved(matrix: Float[Tensor, "P P"], right: Float[Tensor, " P"], damping: float = 0.0) -> Float[Tensor, " P"]:
    """Return the smallest solution of scaled and damped normal equations."""
    size = matrix.diagonal().sqrt()
    size = torch.where(size > 0, size, 1.0)
    values, vectors = torch.linalg.eigh(matrix / (size * size[:, None]))
    inverse = torch.where(values > SINGULAR * values[-1], 1 / (values + damping), 0.0)
    return vectors @ (inverse * (vectors.T @ (right / size))) / size


def covariance(matrix: Float[Tensor, "P P"]) -> Float[Tensor, "P P"]:
    """Return the inverse of normal equations, which is infinite on the diagonal for undetermined coefficients."""
    if not matrix.isfinite().all():
        return torch.full_like(matrix, torch.inf).diag().diag()
    size = matrix.diagonal().sqrt()
    size = torch.where(size > 0, size, 1.0)
    values, vectors = torch.linalg.eigh(matrix / (size * size[:, None]))
    kept = values > SINGULAR * values[-1]
    found = (vectors * torch.where(kept, 1 / values, 0.0)) @ vectors.T
    lost = (vectors[:, ~kept].abs() > 1e-3).any(1)
    found[lost, lost] = torch.inf
    return found / (size * size[:, None])


def _nearest(old: Segments, start: Tensor, new: Segments) -> Tensor:
    """Return the first states of new segments: fitted ones where an old segment begins there, else smoothed ones."""
    known = {(int(r), float(t)): z for r, t, z in zip(old.run, old.t[:, 0], start, strict=True)}
    return torch.stack([known.get((int(r), float(t)), z) for r, t, z in zip(new.run, new.t[:, 0], new.start, strict=True)])


def _substeps(t: Float[Tensor, "W n"]) -> np.ndarray:
    """Return the number of equal steps from each time of the segments to the next."""
    longest = t.diff(dim=1).abs().amax(0).numpy()
    return np.maximum(1, np.ceil(longest / LONGEST - 1e-9)).astype(np.int64)


def _orbits(field: LinearField, c: Tensor, start: Tensor, t: Tensor) -> Float[Tensor, "W n D"]:
    """Return the orbits at the times t, by steps of order 8."""
    found = np.empty((*t.shape, field.dim))
    follow(terms_of(field, c), start.contiguous().numpy(), t.contiguous().numpy(), _substeps(t), found)
    return torch.from_numpy(found)


def _sensitivities(
    field: LinearField, c: Tensor, start: Tensor, t: Tensor
) -> tuple[Float[Tensor, "W n D D"], Float[Tensor, "W n D P"]]:
    """Return the derivatives of the orbits by the initial states and by the coefficients, by the classical method."""
    found = np.empty((*t.shape, field.dim, field.dim + len(field)))
    differentiate(terms_of(field, c), start.contiguous().numpy(), t.contiguous().numpy(), _substeps(t), found)
    whole = torch.from_numpy(found)
    return whole[..., : field.dim], whole[..., field.dim :]
