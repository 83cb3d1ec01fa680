"""A fit by multiple shooting: segments, weights that join them step by step, and the noise of each coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from systems.fitting.data import Run
from systems.fitting.least_squares import Solution, minimise
from systems.fitting.paths import Path
from systems.fitting.shooting import Equations, Segment, Shooting

LENGTH = 2.0  # of a segment, in time scales of the motion: about a third of a turn
SAMPLES = 2  # measured values in a segment, per coordinate of the system
JOINTS = (1.0, 1e2, 1e4, 1e6)  # weights of jumps, relative to residuals
SMALLEST_NOISE = 1e-9  # relative to the size of a coordinate: that of orbits without noise
COARSE, FINE = 1e-5, 1e-10  # predicted gain of a step, relative to the sum of squares, at which a fit ends
MOST = 80  # steps
ROUNDS = 8  # in which the noise is estimated again
SAME = 0.01  # change of the ratio of two noises that ends them

Array = np.ndarray


@dataclass(frozen=True)
class Joined:
    """A fit whose segments form orbits.

    Parameters
    ----------
    fit : Shooting
        The equations, with the final noise.
    solution : Solution
        Parameters and states.
    """

    fit: Shooting
    solution: Solution

    @property
    def states(self) -> list[Array]:
        """The fitted states of each run, shape ``(T, D)``."""
        pieces: list[list[Array]] = [[] for _ in self.fit.runs]
        for segment, one in zip(self.fit.segments, self.solution.equations, strict=True):
            pieces[segment.run].append(one.orbit)
        return [np.concatenate(piece) for piece in pieces]

    @property
    def initial(self) -> Array:
        """The fitted initial states, shape ``(R, D)``."""
        return np.stack([state for place, state in enumerate(self.solution.states) if self.fit.first(place)])


def segments_of(runs: Sequence[Run], paths: Sequence[Path], size: Array, number: int | None) -> list[Segment]:
    """Divide runs into segments.

    By default, a segment lasts twice the time in which the state changes by its own size, and has two measured values per
    coordinate of the system. Otherwise each run has a number of segments with equally many samples.
    """
    found = []
    for place, (run, path) in enumerate(zip(runs, paths, strict=True)):
        n = len(run.t)
        if number is not None:
            ends = np.unique(np.linspace(0, n, min(number, n) + 1).astype(int)).tolist()
        else:
            ends = _ends(run, LENGTH * _time_scale(path, size))
        found += [Segment(place, a, b) for a, b in pairwise(ends)]
    return found


def _time_scale(path: Path, size: Array) -> float:
    """Return the time in which the fastest known coordinate changes by its own size."""
    speed = np.sqrt(np.mean(path.rate[:, path.known] ** 2, axis=0)) / size[path.known]
    return float(1 / speed.max(initial=0.0)) if speed.max(initial=0.0) > 0 else np.inf


def _ends(run: Run, length: float) -> list[int]:
    ends, values = [0], np.isfinite(run.z).sum(1)
    seen, wanted = 0, SAMPLES * run.z.shape[1]
    for i in range(len(run.t)):
        if seen >= wanted and abs(run.t[i] - run.t[ends[-1]]) >= length and values[i:].sum() >= wanted:
            ends.append(i)
            seen = 0
        seen += int(values[i])
    return [*ends, len(run.t)]


def join(fit: Shooting, values: Array, states: Array, estimate: bool) -> Joined:
    """Fit with jumps between segments that weigh more and more, and then with the noise that the residuals have.

    Parameters
    ----------
    fit : Shooting
        The equations.
    values, states : shapes ``(N,)`` and ``(K, D)``
        Where to begin.
    estimate : bool
        Whether the noise is not known, so that it is estimated from the residuals.

    Raises
    ------
    IntegrationError, InputError
        If the orbits cannot be computed from there.
    """
    fit, solution = _tightened(fit, Solution(values, states, fit.equations(values, states), np.inf, False), JOINTS)
    for _ in range(ROUNDS if estimate else 0):
        noise = np.where(observed(fit), estimated_noise(fit, solution.equations), fit.noise)
        ratio = (noise / fit.noise)[observed(fit)]
        # orbits that are joined tightly cannot follow another optimum, so they are loosened first
        fit, solution = _tightened(replace(fit, noise=noise), solution, JOINTS[1:])
        if ratio.max() < (1 + SAME) * ratio.min():
            break
    return Joined(fit, solution)


def _tightened(fit: Shooting, solution: Solution, joints: Sequence[float]) -> tuple[Shooting, Solution]:
    """Fit with one weight of jumps after another."""
    for joint in joints if len(fit.segments) > len(fit.runs) else JOINTS[-1:]:
        fit = replace(_rescaled(fit, solution), joint=joint)
        last = joint == JOINTS[-1]
        tolerance, most = (FINE, MOST) if last else (COARSE, MOST // 2)
        solution = minimise(fit, solution.values, solution.states, tolerance, most)
    return fit, solution


def _rescaled(fit: Shooting, solution: Solution) -> Shooting:
    """Return the fit with units of unmeasured coordinates: the size that they have now, and a noise for jumps in them.

    That noise is the change that moves the measured values of a segment by their own noise. The size may change in the course
    of a fit, as that of a momentum does if the mass is not known.
    """
    seen = observed(fit)
    equations = [one for one in solution.equations if len(one.residual)]
    influence = np.median([np.sqrt(np.mean(one.by_state**2, axis=0)) for one in equations], axis=0)
    spread = np.concatenate([one.orbit for one in solution.equations]).std(0)
    size = np.where(seen | (spread == 0), fit.size, spread)
    with np.errstate(divide="ignore"):
        noise = np.where(seen | (influence == 0), fit.noise, 1 / influence)
    return replace(fit, motion=replace(fit.motion, size=size), size=size, noise=noise)  # type: ignore[type-var]


def estimated_noise(fit: Shooting, equations: Sequence[Equations]) -> Array:
    """Return the standard deviation of the residuals of each coordinate, with the degrees of freedom that the fit took."""
    square, count = np.zeros(len(fit.size)), np.zeros(len(fit.size))
    for segment, one in zip(fit.segments, equations, strict=True):
        seen = np.isfinite(fit.runs[segment.run].z[segment.begin : segment.end])
        which = np.broadcast_to(np.arange(seen.shape[1]), seen.shape)[seen]
        np.add.at(square, which, one.residual**2)
        np.add.at(count, which, 1)
    left = freedom(fit) / max(1, count.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = fit.noise * np.sqrt(square / (count * left))
    return with_units(noise, fit.size)


def with_units(noise: Array, size: Array) -> Array:
    """Return the noise with a unit for coordinates that were not measured, and not less than the rounding of orbits."""
    share = np.maximum(noise / size, SMALLEST_NOISE)
    return np.where(np.isfinite(noise), share, np.nanmin(share)) * size


def observed(fit: Shooting) -> Array:
    """Return which coordinates were measured, shape ``(D,)``."""
    return np.any([np.isfinite(run.z).any(0) for run in fit.runs], axis=0)


def freedom(fit: Shooting) -> int:
    """Return the number of measured values minus that of unknowns."""
    values = sum(int(np.isfinite(run.z).sum()) for run in fit.runs)
    return values - len(fit.unknown.start) - (0 if fit.fixed is not None else len(fit.runs) * len(fit.size))
