"""Parameters from smoothed rates (derivative form) or from integrals with test functions (weak form), without orbits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import least_squares
from scipy.sparse import csr_matrix, diags

from systems.errors import InputError
from systems.fitting.data import Run
from systems.fitting.motion import Motion
from systems.fitting.paths import Path
from systems.fitting.unknowns import Unknowns

SMALLEST_HALF = 10  # samples on each side of the middle of a test function, so that sums over samples are integrals

Array = np.ndarray


class Rates:
    r"""Equations for the parameters: linear functions of the field along smoothed paths, which must have given values.

    In the derivative form, the field equals the smoothed rate at each time, in units of the standard error of the rate. In the
    weak form, :math:`\int \phi f \, dt = -\int \dot\phi z \, dt` for test functions phi on windows that overlap.

    References
    ----------
    Varah, SIAM J. Sci. Stat. Comput. 3, 28 (1982), for the derivative form; Messenger and Bortz, J. Comput. Phys. 443, 110525
    (2021), for the weak form.
    """

    def __init__(self, motion: Motion, runs: Sequence[Run], paths: Sequence[Path], unknown: Unknowns, weak: bool) -> None:
        self.motion, self.runs, self.paths, self.unknown = motion, runs, paths, unknown
        self.parts = [(_weak if weak else _derivative)(*pair) for pair in zip(runs, paths, strict=True)]
        self.unit = np.ones(len(paths[0].known))
        if weak:
            wanted = np.concatenate([wanted for _, wanted in self.parts])
            self.unit = np.sqrt(np.mean(wanted**2, axis=0)) if len(wanted) else self.unit
            self.unit[self.unit == 0] = 1.0
        self.lag = 4 if weak else max(path.width for path in paths)

    def solve(self, start: Array, shares: Sequence[float] = (1.0,)) -> tuple[Array, float]:
        """Return the parameters that fit the runs best, and the sum of squares.

        The first parts of the runs are fitted one after another, by increasing shares, each from the result of the previous.
        Raises InputError if the equations cannot be computed at the start.
        """
        values, cost = start, np.inf
        for share in shares:
            values, cost = self._solve(values, share)
        return values, cost

    def _solve(self, start: Array, share: float) -> tuple[Array, float]:

        def flat(values: Array, which: int) -> Array:
            parts = [part[which] for part in self._each(values)]
            first = [part[: int(np.ceil(share * len(part)))] for part in parts]
            return np.concatenate([part.reshape(-1, *part.shape[2:]) for part in first])

        begin = flat(start, 0)
        if not np.isfinite(begin).all():
            raise InputError("the field is not finite along the smoothed data; start from other values of the parameters")

        def residual(values: Array) -> Array:
            try:
                return flat(values, 0)
            except InputError:  # the system refuses these values; an infinite residual makes the step shorter
                return np.full_like(begin, np.inf)

        bounds = (self.unknown.low, self.unknown.high)
        result = least_squares(
            residual, start, jac=lambda values: np.nan_to_num(flat(values, 1)), x_scale="jac", bounds=bounds
        )
        return np.asarray(result.x), float(result.cost)

    def covariance(self, values: Array) -> Array:
        """Return the covariance of the parameters, with the correlation of residuals up to the width of the windows.

        Newey and West, Econometrica 55, 703 (1987).
        """
        slopes = [(residual, slope) for residual, slope in self._each(values)]
        whole = np.concatenate([slope.reshape(-1, slope.shape[-1]) for _, slope in slopes])
        inverse = np.linalg.pinv(whole.T @ whole)
        middle = np.zeros_like(inverse)
        for residual, slope in slopes:
            scores = np.einsum("td,tdp->tp", residual, slope)
            for lag in range(min(self.lag, len(scores) - 1) + 1):
                part = scores[lag:].T @ scores[: len(scores) - lag] * (1 - lag / (self.lag + 1))
                middle += part if lag == 0 else part + part.T
        return np.asarray(inverse @ middle @ inverse)

    def _each(self, values: Array) -> list[tuple[Array, Array]]:
        """Return the residuals and their derivatives by all unknowns, for each run."""
        found = []
        for run, path, columns, (of_field, wanted) in zip(
            self.runs, self.paths, self.unknown.columns, self.parts, strict=True
        ):
            with np.errstate(all="ignore"):
                f, _, by_values = self.motion.rates(values[columns], run.t, path.z)
                residual = np.stack([one @ f[:, i] for i, one in enumerate(of_field)], 1) - wanted
                slope = np.zeros((*residual.shape, len(values)))
                for i, one in enumerate(of_field):
                    slope[:, i, columns] = one @ by_values[:, i]
            keep = path.known
            found.append((residual[:, keep] / self.unit[keep], slope[:, keep] / self.unit[keep, None]))
        return found


def _derivative(run: Run, path: Path) -> tuple[list[csr_matrix], Array]:
    return [diags(1 / error).tocsr() for error in path.rate_error.T], path.rate / path.rate_error


def _weak(run: Run, path: Path) -> tuple[list[csr_matrix], Array]:
    """Return integrals with (1 - u^2)^4 by the trapezoidal rule, on windows without gaps that overlap by three quarters."""
    n, half = len(run.t), max(SMALLEST_HALF, path.width // 2)
    measured = run.unwrapped()
    z = np.where(np.isfinite(measured), measured, path.z)
    step = np.gradient(run.t) if n > 1 else np.zeros(n)
    gap = _in_gaps(run.t, np.isfinite(measured))
    rows: list[Array] = []
    places, values, slopes = [], [], []
    for middle in range(half, n - half, max(1, half // 2)):
        inside = np.arange(middle - half, middle + half + 1)
        if gap[inside].any():
            continue
        begin, end = run.t[inside[0]], run.t[inside[-1]]
        u = (2 * run.t[inside] - begin - end) / (end - begin)
        rows.append(np.full(len(inside), len(rows)))
        places.append(inside)
        values.append((1 - u**2) ** 4 * step[inside])
        slopes.append(-16 * u * (1 - u**2) ** 3 / (end - begin) * step[inside])
    if not rows:
        return [csr_matrix((0, n))] * z.shape[1], np.zeros((0, z.shape[1]))
    index, shape = (np.concatenate(rows), np.concatenate(places)), (len(rows), n)
    weight = csr_matrix((np.concatenate(values), index), shape)
    return [weight] * z.shape[1], -(csr_matrix((np.concatenate(slopes), index), shape) @ z)


def _in_gaps(t: Array, seen: Array) -> Array:
    """Return the times in, or next to, a gap between values of a coordinate that lasts half of the shortest window."""
    found = np.zeros(len(t), dtype=bool)
    for own in (np.flatnonzero(column) for column in seen.T):
        steps = np.abs(np.diff(t[own]))
        for k in np.flatnonzero(steps > SMALLEST_HALF * np.median(steps)) if len(steps) else ():
            found[own[k] : own[k + 1] + 1] = True
        found[: own[0] if len(own) else 0] = found[own[-1] + 1 if len(own) else len(t) :] = True
    return found
