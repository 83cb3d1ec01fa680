"""Rates of measured states by smoothing splines, and what the states tell about their noise and spacing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import pi

import numpy as np
import torch
from jaxtyping import Float
from scipy.fft import dst
from scipy.interpolate import make_interp_spline, make_smoothing_spline
from scipy.optimize import minimize_scalar

from systems import AccuracyWarning, InputError, Orbit
from systems.errors import outside
from systems.recording.unwrapping import continued

FEWEST = 5  # states that a smoothing spline needs; fewer are interpolated
DEGREE = 5
AMBIGUOUS = 4  # states per turn; with fewer, other motions pass through the same states
SPARSE = 12  # states per turn below which a smoothing spline takes motion for noise


@dataclass(frozen=True)
class Smoothed:
    """Orbits whose states and rates are those of smoothing splines.

    Parameters
    ----------
    orbits, measured : list of Orbit
        Single orbits at their measured times, and the measured states themselves. Angles continue across their periods.
    noise : shape ``(D,)``
        Estimated standard deviation of the measured states around the splines, in the units of the data; NaN if unknown.
    relative_noise : float
        The largest of these in units of the spread of its coordinate; NaN if unknown.
    per_turn : float
        Number of measured states in the time in which the fastest coordinate oscillates once.
    """

    orbits: list[Orbit]
    measured: list[Orbit]
    noise: Float[np.ndarray, " D"]
    relative_noise: float
    per_turn: float

    @classmethod
    def of(cls, orbits: Orbit | Sequence[Orbit]) -> Smoothed:
        """Smooth orbits, each coordinate by a cubic spline whose stiffness is chosen by generalized cross-validation.

        States that are too far apart to tell noise from motion are interpolated, by splines of degree five; their noise is
        then not known, and NaN. Raises InputError if no orbit has two measured states of each coordinate.

        References
        ----------
        Craven and Wahba, Numer. Math. 31, 377 (1979).
        """
        listed = [orbits] if isinstance(orbits, Orbit) else list(orbits)
        single = [one for orbit in listed for one in orbit.separate() if (one.measured.sum(0) >= 2).all()]
        if not single:
            raise InputError("no orbit has two measured states of each coordinate, from which a flow could be learned")
        measured = [_continuous(one) for one in single]
        through = _splines(measured, [None] * single[0].dim)
        if (per_turn := _per_turn(through)) < AMBIGUOUS:
            warnings.warn(
                f"the states are too far apart: there are fewer than {AMBIGUOUS} per turn, so the motion between them is "
                "ambiguous, and what is learned may be wrong; measure more often",
                AccuracyWarning,
                stacklevel=outside(),
            )
        if per_turn < SPARSE:
            return cls(through, measured, np.full(single[0].dim, np.nan), np.nan, per_turn)
        stiffness = [_stiffness([one.z[one.measured[:, i], i].numpy() for one in measured]) for i in range(single[0].dim)]
        smooth = _splines(measured, [stiff for stiff, _ in stiffness])
        off = np.concatenate([(one.z - other.z).numpy() for one, other in zip(smooth, measured, strict=True)])
        free = np.array([1 - part for _, part in stiffness])
        noise = np.sqrt(np.nanmean(np.square(off), axis=0) / free)
        spread = np.concatenate([orbit.z.numpy() for orbit in smooth]).std(0)
        moving = spread > 0
        relative = float((noise[moving] / spread[moving]).max()) if moving.any() else 0.0
        return cls(smooth, measured, noise, relative, _per_turn(smooth))


def _continuous(orbit: Orbit) -> Orbit:
    """Return an orbit in float64 whose angles continue across their periods."""
    periods = np.array([orbit.periods.get(name, np.inf) for name in orbit.coordinates])
    z = continued(orbit.z.detach().cpu().double().numpy(), periods)
    return replace(orbit, t=orbit.t.detach().cpu().double(), z=torch.from_numpy(z), rate=None)


def _splines(orbits: Sequence[Orbit], stiffness: Sequence[float | None]) -> list[Orbit]:
    """Return orbits with the states and rates of splines, given the stiffness for each coordinate, or None to interpolate."""
    found = []
    for orbit in orbits:
        t, given = orbit.t.numpy(), orbit.z.numpy()
        parts = zip(*(_spline(t, x, stiff) for x, stiff in zip(given.T, stiffness, strict=True)), strict=True)
        z, rate = (np.stack(part, axis=-1) for part in parts)
        found.append(replace(orbit, z=torch.from_numpy(z), rate=torch.from_numpy(rate)))
    return found


def _stiffness(series: Sequence[np.ndarray]) -> tuple[float, float]:
    r"""Return the stiffness of splines with unit steps, and the part of the noise that they follow.

    .. math:: \min_\lambda \frac{\sum_k (1 - h_k)^2 c_k^2}{(1 - \langle h \rangle)^2}, \qquad
        h_k = \frac{1}{1 + \lambda (2 - 2 \cos \omega_k)^2}

    These are the smoother's eigenvalues for natural splines, in whose basis, that of sines, a series has the coefficients c_k
    after the straight line through its ends has been subtracted. Series of all orbits count together.
    """
    coefficients, squares, known = [], [], 0
    for x in series:
        n = len(x)
        if n < FEWEST:
            continue
        known += n
        coefficients.append(dst((x - np.linspace(x[0], x[-1], n))[1:-1], type=1, norm="ortho"))
        squares.append((2 - 2 * np.cos(np.pi * np.arange(1, n - 1) / (n - 1))) ** 2)
    if not known or not (c := np.concatenate(coefficients)).any():
        return 0.0, 0.0
    g = np.concatenate(squares)

    def followed(logarithm: float) -> np.ndarray:
        return 1 / (1 + np.exp(logarithm) * g)

    def criterion(logarithm: float) -> float:
        h = followed(logarithm)
        return float(np.log(np.square((1 - h) * c).sum()) - 2 * np.log(1 - h.mean()))

    best = float(minimize_scalar(criterion, bounds=(-12.0, 25.0), method="bounded").x)
    return float(np.exp(best)), min(0.999, float(followed(best).mean()))


def _per_turn(orbits: Sequence[Orbit]) -> float:
    """Return the number of states in the time in which the fastest coordinate oscillates once."""
    z, rate = (np.concatenate([getattr(orbit, name).numpy() for orbit in orbits]) for name in ("z", "rate"))
    spread = z.std(0)
    moving = spread > 0
    if not moving.any():
        return np.inf
    fastest = float((np.sqrt(np.square(rate).mean(0))[moving] / spread[moving]).max())
    step = float(np.median(np.concatenate([np.abs(np.diff(orbit.t.numpy())) for orbit in orbits])))
    return 2 * pi / (fastest * step) if fastest > 0 else np.inf


def _spline(t: np.ndarray, x: np.ndarray, stiffness: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a spline through or near x, where x is not NaN, and its derivative, at all times."""
    known = np.isfinite(x)
    n = int(known.sum())
    step = np.median(np.abs(np.diff(t[known])))
    order = 1 if t[-1] > t[0] else -1
    place = order * (t - t[0]) / step  # the criterion of a smoothing spline needs steps of about one
    center, size = x[known].mean(), x[known].std() or 1.0
    y = (x[known] - center) / size
    if stiffness is not None and n >= FEWEST:
        spline = make_smoothing_spline(place[known], y, lam=stiffness)
    else:
        spline = make_interp_spline(place[known], y, k=min(DEGREE, n - 1 - n % 2 if n > 2 else 1))
    return center + size * spline(place), order * size / step * spline.derivative()(place)


@dataclass(frozen=True)
class Measured:
    """Orbits as they were given, of which some may have no rates.

    Parameters
    ----------
    orbits : list of Orbit
        The orbits.
    """

    orbits: list[Orbit]

    @classmethod
    def of(cls, orbits: Orbit | Sequence[Orbit]) -> Measured:
        """Return the orbits as a list. Raises InputError unless they are orbits."""
        listed = [orbits] if isinstance(orbits, Orbit) else list(orbits)
        if not listed or not all(isinstance(orbit, Orbit) for orbit in listed):
            raise InputError("training needs an Orbit or a non-empty list of them; Orbit.of makes one from arrays and tables")
        return cls(listed)

    @property
    def have_rates(self) -> bool:
        """Whether all orbits have rates."""
        return all(orbit.rate is not None for orbit in self.orbits)

    @property
    def with_rates(self) -> list[Orbit]:
        """The orbits, or smoothed ones if some have no rates."""
        return self.orbits if self.have_rates else self.smoothed.orbits

    @cached_property
    def smoothed(self) -> Smoothed:
        """The smoothed orbits."""
        return Smoothed.of(self.orbits)
