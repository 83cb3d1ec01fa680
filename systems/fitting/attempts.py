"""A fit from its data: guesses, and multiple shooting from each until one is good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from systems.errors import InputError, IntegrationError
from systems.fitting.data import Run
from systems.fitting.joining import Joined, join, observed, segments_of, with_units
from systems.fitting.least_squares import Solution
from systems.fitting.motion import Motion, motion_of
from systems.fitting.paths import Path, filled, path, sizes
from systems.fitting.rates import Rates
from systems.fitting.shooting import Shooting
from systems.fitting.unknowns import Unknowns
from systems.scalars import real
from systems.system import System

FILLS = 3  # rounds in which unmeasured coordinates and parameters are guessed in turn
# Parts of the runs that are fitted one after another. The phase of a drive must be right within a turn, so its frequency may
# have to be found in a short part first.
GROWING = ((1.0,), (0.4, 1.0), (0.15, 0.4, 1.0), (0.05, 0.15, 0.4, 1.0))
POOR = 3.0  # ratio of the residuals to the noise of smoothed data above which another start is tried

Array = np.ndarray


@dataclass(frozen=True)
class Problem:
    """The data of a fit with smoothed paths through them.

    Parameters
    ----------
    autonomous : bool
        Whether the field does not depend on time.
    motion : Motion
        The system.
    runs : list of Run
        The data.
    paths : list of Path
        Smoothed measured coordinates.
    unknown : Unknowns
        The parameters.
    given : shape ``(D,)``, optional
        The noise of each coordinate, NaN for those that were not measured, if it was given.
    segments : int, optional
        Number of segments of each run.
    fixed : shape ``(R, D)``, optional
        Initial states, if they are not fitted.
    """

    autonomous: bool
    motion: Motion
    runs: Sequence[Run]
    paths: Sequence[Path]
    unknown: Unknowns
    given: Array | None
    segments: int | None
    fixed: Array | None

    def shooting(self, paths: Sequence[Path]) -> Shooting:
        """Return the equations of a fit whose segments are as long as the time scale of some paths requires."""
        size = sizes(paths)
        noise = self._smoothed_noise() if self.given is None else self.given
        segments = segments_of(self.runs, paths, size, self.segments)
        return Shooting(self.motion, self.runs, segments, self.unknown, with_units(noise, size), size, 1.0, self.fixed)

    def filled(self, values: Array) -> list[Path]:
        """Return paths in all coordinates that the rates of the measured ones determine."""
        columns = self.unknown.columns
        return [
            filled(self.motion, values[own], run, start)
            for own, run, start in zip(columns, self.runs, self.paths, strict=True)
        ]

    def guess(self, weak: bool = False) -> tuple[Array, Rates]:
        """Return the parameters that smoothed rates suggest, and their equations.

        Raises InputError if the rates do not determine all coordinates, or if the field is not finite.
        """
        values = self.unknown.start
        for _ in range(1 if all(one.known.all() for one in self.paths) else FILLS):
            paths = self.filled(values)
            if not all(one.known.all() for one in paths):
                raise InputError(
                    "the rates of the measured coordinates do not determine the others; use method='shooting', or measure more"
                )
            rates = Rates(self.motion, self.runs, paths, self.unknown, weak)
            if len(values):
                tried = [rates.solve(values, shares) for shares in (GROWING[:1] if self.autonomous else GROWING)]
                values = min(tried, key=lambda one: one[1])[0]
        return values, rates

    def _smoothed_noise(self) -> Array:
        noise = np.stack([path.noise for path in self.paths])
        count = np.stack([np.isfinite(run.z).sum(0) for run in self.runs])
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.nansum(count * noise**2, axis=0) / count.sum(0)))


def problem(
    system: System,
    runs: Sequence[Run],
    unknown: Unknowns,
    noise: float | Mapping[str, float] | None,
    measured_start: bool,
    segments: int | None,
) -> Problem:
    """Return the problem of a fit. Raises InputError if the noise or the initial states cannot be used."""
    paths = [path(run) for run in runs]
    fixed = None
    if measured_start:
        fixed = np.stack([run.unwrapped()[0] for run in runs])
        if np.isnan(fixed).any():
            raise InputError("initial='measured' needs all coordinates at the first time of each run; use initial='free'")
    seen = np.any([path.known for path in paths], axis=0)
    given = None if noise is None else _given(system.coordinates, noise, seen)
    t, z = np.concatenate([run.t for run in runs]), np.concatenate([path.z for path in paths])
    motion = motion_of(system, unknown.names, t, z, sizes(paths))
    return Problem(system.autonomous, motion, runs, paths, unknown, given, segments, fixed)


def _given(names: Sequence[str], noise: float | Mapping[str, float], seen: Array) -> Array:
    several = noise if isinstance(noise, Mapping) else dict.fromkeys(names, noise)
    if unknown := [name for name in several if name not in names]:
        raise InputError(f"noise is given for {unknown[0]!r}, which is not one of the coordinates {', '.join(names)}")
    given = np.full(len(names), np.nan)
    for i in np.flatnonzero(seen).tolist():
        if names[i] not in several:
            raise InputError(f"noise has no value for {names[i]}, which was measured; give one for each measured coordinate")
        given[i] = real(f"the noise of {names[i]}", several[names[i]])
        if given[i] <= 0:
            raise InputError(f"the noise of {names[i]} must be positive, not {given[i]:g}")
    return given


def shot(given: Problem) -> Joined:
    """Fit by multiple shooting from the guess of smoothed rates and, if the result is poor, from the system as it was given.

    Raises IntegrationError or InputError if the orbits cannot be computed from either.
    """
    best: tuple[tuple[bool, float], Joined] | None = None
    failed: Exception | None = None
    for values in _starts(given):
        try:
            paths = given.filled(values)
            fit = given.shooting(paths)
            states = np.stack([paths[one.run].z[one.begin] for one in fit.segments])
            joined = join(fit, values, states, estimate=given.given is None)
        except (InputError, IntegrationError) as error:
            failed = error
            continue
        seen = observed(fit)
        count = sum(np.isfinite(run.z).sum(0) for run in given.runs)[seen]
        relative = float(count @ np.log(joined.fit.noise[seen] / fit.noise[seen])) / count.sum()
        if given.given is not None:
            relative = np.log(joined.solution.cost / count.sum()) / 2
        rank = (not joined.solution.converged, relative)
        if best is None or rank < best[0]:
            best = rank, joined
        if joined.solution.converged and relative < np.log(POOR):
            break
    if best is None:
        assert failed is not None
        raise failed
    return best[1]


def _starts(given: Problem) -> Iterator[Array]:
    with suppress(InputError, np.linalg.LinAlgError):  # the system's own parameters may still do
        yield given.guess()[0]
    yield given.unknown.start


def from_rates(given: Problem, weak: bool) -> tuple[Joined, Array]:
    """Fit by smoothed rates or by integrals with test functions; return orbits from smoothed states, and the covariance."""
    values, rates = given.guess(weak)
    paths = rates.paths
    fit = given.shooting(paths)
    states = np.stack([paths[one.run].z[one.begin] for one in fit.segments])
    solution = Solution(values, states, fit.equations(values, states), 0.0, True)
    return Joined(fit, solution), rates.covariance(values)
