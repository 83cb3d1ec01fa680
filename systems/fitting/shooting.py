"""Multiple shooting: orbits in segments that must join, with exact derivatives by initial states and parameters.

A system has few parameters, which orbits of any length determine, so the segments join, and an adaptive solver follows them.
The coefficients or weights of a learned flow are many, and a flow that is still wrong cannot join its windows: there, windows
have first states of their own, and fixed steps treat all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from systems.fitting.data import Run
from systems.fitting.motion import Derivatives, Motion
from systems.fitting.unknowns import Unknowns

ROUNDING = 1e-9  # smallest jump between segments that counts, relative to the size of a coordinate
WEAKEST = 1e-8  # prior of every state, relative to its size, so that a coordinate without influence stays where it is

Array = np.ndarray


@dataclass(frozen=True)
class Segment:
    """A part of a run: the samples from ``begin`` up to but not including ``end``, which is where the next one begins."""

    run: int
    begin: int
    end: int


@dataclass(frozen=True)
class Equations:
    """Linearised equations of one segment, in units of standard deviations.

    Parameters
    ----------
    residual, by_state, by_values : shapes ``(m,)``, ``(m, D)`` and ``(m, N)``
        Differences to the measured values, and their derivatives by the segment's first state and by the parameters.
    jump, jump_by_state, jump_by_values : shapes ``(D,)``, ``(D, D)`` and ``(D, N)``
        Difference between the end of the segment and the beginning of the next one. The derivative by the latter is minus
        ``join``, shape ``(D,)``. Without a next segment, these have no rows.
    orbit : shape ``(T, D)``
        States at the samples of the segment.
    """

    residual: Array
    by_state: Array
    by_values: Array
    jump: Array
    jump_by_state: Array
    jump_by_values: Array
    join: Array
    orbit: Array

    @property
    def cost(self) -> float:
        """Sum of squares."""
        return float(self.residual @ self.residual + self.jump @ self.jump)


@dataclass(frozen=True)
class Shooting:
    """The equations of a fit.

    Parameters
    ----------
    motion : Motion
        The system.
    runs : sequence of Run
        The data.
    segments : sequence of Segment
        All segments of the first run in order, followed by those of the next one.
    unknown : Unknowns
        The parameters.
    noise, size : shape ``(D,)``
        Standard deviation of the noise, and magnitude of each coordinate.
    joint : float
        Weight of a jump between segments, relative to a residual.
    fixed : shape ``(R, D)``, optional
        Initial states of the runs, if they are not free.
    """

    motion: Motion
    runs: Sequence[Run]
    segments: Sequence[Segment]
    unknown: Unknowns
    noise: Array
    size: Array
    joint: float
    fixed: Array | None = None

    @property
    def weight(self) -> Array:
        """Weight of a jump in each coordinate."""
        return np.minimum(self.joint / self.noise, 1 / (ROUNDING * self.size))

    def equations(self, values: Array, states: Array) -> list[Equations]:
        """Return the linearised equations of all segments at the parameters ``(N,)`` and states ``(K, D)``."""
        found = []
        for place, (segment, (z, by_state, own)) in enumerate(zip(self.segments, self._orbits(values, states), strict=True)):
            run, columns = self.runs[segment.run], self.unknown.columns[segment.run]
            inner, joined = segment.end - segment.begin, segment.end < len(run.t)
            by_values = np.zeros((*z.shape, len(values)))
            by_values[..., columns] = own
            seen = np.isfinite(run.z[segment.begin : segment.end])
            unit = np.broadcast_to(self.noise, seen.shape)[seen]
            residual = run.shortest(z[:inner] - run.z[segment.begin : segment.end])[seen] / unit
            w = self.weight[: len(self.noise) if joined else 0]
            rows = slice(0, len(w))
            end = -1 if joined else 0
            jump = w * run.shortest(z[end] - states[place + 1])[rows] if joined else np.zeros(0)
            found.append(
                Equations(
                    residual,
                    by_state[:inner][seen] / unit[:, None],
                    by_values[:inner][seen] / unit[:, None],
                    jump,
                    w[:, None] * by_state[end][rows],
                    w[:, None] * by_values[end][rows],
                    w,
                    z[:inner],
                )
            )
        return found

    def _orbits(self, values: Array, states: Array) -> list[Derivatives]:
        """Return the orbits of all segments up to the first sample of the next segment, with their derivatives."""
        found: list[Derivatives] = []
        for number, run in enumerate(self.runs):
            mine = [one for one in self.segments if one.run == number]
            times = [run.t[one.begin : one.end + 1] for one in mine]
            own = states[len(found) : len(found) + len(mine)]
            found += self.motion.orbits(values[self.unknown.columns[number]], own, times)
        return found

    def first(self, place: int) -> bool:
        """Return whether a segment is the first one of its run."""
        return place == 0 or self.segments[place - 1].run != self.segments[place].run


@dataclass(frozen=True)
class Eliminated:
    """The equations of all segments after the states have been eliminated by orthogonal transformations.

    Parameters
    ----------
    rows : list of array
        Of each segment, the equations ``(D, 2 D + N + 1)`` for its state: the columns of the state, of the previous state,
        of the parameters, and the right-hand side.
    left : shape ``(M, N + 1)``
        The equations that are left for the parameters, and their right-hand side.
    """

    rows: list[Array]
    left: Array

    def states(self, change: Array) -> Array:
        """Return the changes of the states, shape ``(K, D)``, for a change of the parameters."""
        found: list[Array] = []
        for row in self.rows:
            dim = len(row)
            before = found[-1] if found else np.zeros(dim)
            right = row[:, -1] - row[:, dim : 2 * dim] @ before - row[:, 2 * dim : -1] @ change
            found.append(np.linalg.solve(row[:, :dim], right))
        return np.stack(found)


def eliminate(fit: Shooting, equations: Sequence[Equations], states: Array, damping: Array | None = None) -> Eliminated:
    """Eliminate the states, from the last segment of each run to its first one.

    The elimination is the square-root information filter: its cost is linear in the number of segments, and it needs no
    products of the derivatives of segments, which would grow exponentially for chaotic orbits.

    Parameters
    ----------
    fit : Shooting
        The fit.
    equations : sequence of Equations
        Equations of its segments.
    states : shape ``(K, D)``
        Present states.
    damping : shape ``(K, D)``, optional
        Weights of equations by which each state does not change.

    References
    ----------
    Bierman, *Factorization Methods for Discrete Sequential Estimation*, Academic Press (1977), chapter V.
    """
    dim, n = states.shape[1], len(fit.unknown.start)
    rows: list[Array] = [np.zeros(0)] * len(equations)
    left = []
    carry = np.zeros((0, dim + n + 1))
    for place in reversed(range(len(equations))):
        one, first = equations[place], fit.first(place)
        data = np.concatenate([one.by_state, np.zeros((len(one.residual), dim)), one.by_values, -one.residual[:, None]], 1)
        inner = np.concatenate([carry[:, :dim], np.zeros((len(carry), dim)), carry[:, dim:]], 1)
        still = np.zeros((dim, 2 * dim + n + 1))
        still[:, :dim] = np.diag(WEAKEST / fit.size if damping is None else np.hypot(WEAKEST / fit.size, damping[place]))
        join = np.zeros((dim, 2 * dim + n + 1))
        if not first:
            last = equations[place - 1]
            join[:, :dim] = -np.diag(last.join)
            join[:, dim : 2 * dim], join[:, 2 * dim : -1], join[:, -1] = last.jump_by_state, last.jump_by_values, -last.jump
        elif fit.fixed is not None:
            w = 1 / (ROUNDING * fit.size)
            join[:, :dim], join[:, -1] = np.diag(w), w * (fit.fixed[fit.segments[place].run] - states[place])
        triangle: Array = np.asarray(np.linalg.qr(np.concatenate([join, inner, data, still]), mode="r"))
        rows[place] = triangle[:dim]
        carry = triangle[dim:, dim:]
        if first:  # the previous state is that of no segment
            left.append(carry[:, dim:])
            carry = np.zeros((0, dim + n + 1))
    return Eliminated(rows, np.concatenate(left) if left else np.zeros((0, n + 1)))
