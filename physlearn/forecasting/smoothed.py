"""Rates of measured states by smoothing splines, and estimates of the noise and spacing of the states."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float

from physlearn.training.windows import GAP
from systems import AccuracyWarning, InputError, Orbit
from systems.errors import outside
from systems.recording.per_turn import of_rates, of_steps
from systems.recording.smoothing import GAP as PAUSE
from systems.recording.smoothing import Smooth, smooth
from systems.recording.unwrapping import continuous
from systems.recording.velocities import sources_of

FEWEST = 4  # states of an orbit; fewer have no rates that a spline could derive
AMBIGUOUS = 4  # states per turn; with fewer, other motions pass through the same states


@dataclass(frozen=True)
class Smoothed:
    """Orbits whose states and rates are those of smoothing splines.

    Parameters
    ----------
    orbits, measured : list of Orbit
        Single orbits at their measured times, divided at long pauses, and the measured states themselves, NaN where nothing
        was measured, which includes derived velocities. Angles continue across their periods. The former are NaN where a
        coordinate was not measured for more than three of its median steps, because splines say little there, and before and
        after its measured values.
    noise : shape ``(D,)``
        Estimated standard deviation of the measured states around the true ones, in the units of the data; NaN if unknown.
    relative_noise : float
        The largest of these in units of the spread of its coordinate; NaN if one is unknown.
    per_turn : float
        Number of measured states in the time in which the fastest coordinate oscillates once.
    """

    orbits: list[Orbit]
    measured: list[Orbit]
    noise: Float[np.ndarray, " D"]
    relative_noise: float
    per_turn: float

    @property
    def short(self) -> bool:
        """Whether all orbits are too short to derive rates from them."""
        return max(len(one.t) for one in self.orbits) < FEWEST

    @property
    def has_derived(self) -> bool:
        """Whether velocities were derived from measured positions."""
        return bool(sources_of(self.orbits[0]))

    @property
    def derived(self) -> list[Orbit]:
        """The smoothed orbits with NaN for all but derived velocities."""
        kept = list(sources_of(self.orbits[0]))
        others = [i for i in range(self.orbits[0].dim) if i not in kept]
        return [replace(one, z=one.z.index_fill(-1, torch.tensor(others), torch.nan), rate=None) for one in self.orbits]

    @property
    def where_measured(self) -> list[Orbit]:
        """The smoothed orbits with NaN at times at which a coordinate was not measured."""
        pairs = zip(self.orbits, self.measured, strict=True)
        return [
            replace(one, z=one.z.where(known.measured.all(-1, keepdim=True), torch.nan), rate=None) for one, known in pairs
        ]

    @classmethod
    def of(cls, orbits: Orbit | Sequence[Orbit]) -> Smoothed:
        """Smooth orbits, all runs of a coordinate together; see `systems.recording.smooth`.

        Velocities that were derived from positions are derived again, with their rates. The noise is not known, and NaN, if
        the states are too far apart to tell noise from motion in one of the coordinates. Raises InputError if no orbit has
        two measured states of each coordinate.
        """
        listed = [orbits] if isinstance(orbits, Orbit) else list(orbits)
        if len(differing := {orbit.coordinates for orbit in listed}) > 1:
            raise InputError(f"one model cannot train on orbits with different coordinates: {sorted(differing)}")
        measured = [again for orbit in listed for one in orbit.separate() for again in _without_pauses(_measured_alone(one))]
        names = measured[0].coordinates if measured else ()
        derived = sources_of(measured[0]) if measured else {}  # a velocity's index: that of its position
        own = [i for i in range(len(names)) if i not in derived]
        never = [names[i] for i in own if not any(one.measured[:, i].any() for one in measured)]
        if never:
            raise InputError(
                f"{', '.join(never)} was never measured: leave it out, or derive it by orbit.with_velocities() if it is the "
                "velocity of another coordinate"
            )
        measured = [one for one in measured if (one.measured[:, own].sum(0) >= 2).all()]
        if not measured:
            raise InputError(
                "a flow is learned from orbits with at least two measured values of each coordinate, but there is none: give "
                "longer orbits"
            )
        found = {i: smooth([(one.t.numpy(), one.z[:, i].numpy()) for one in measured]) for i in own}
        near, sources = _between_measured(measured), [derived.get(i, i) for i in range(len(names))]
        smoothed = [
            _joined(one, near[k], [(found[j][k], j, int(i != j)) for i, j in enumerate(sources)])
            for k, one in enumerate(measured)
        ]
        per_turn = _per_turn(smoothed)
        values = [[one.z[one.measured[:, i], i].numpy() for one in measured] for i in own]
        if (apart := min(of_steps(signals) for signals in values)) < AMBIGUOUS:
            per_turn = min(per_turn, apart)  # what looks like noise may be motion
            warnings.warn(
                f"the states are too far apart: there are fewer than {AMBIGUOUS} per turn, so the motion between them is "
                "ambiguous, and what is learned may be wrong; measure more often",
                AccuracyWarning,
                stacklevel=outside(),
            )
        noise = np.array([found[i][0].noise if i in found else np.nan for i in range(len(names))])
        if np.isnan(noise[own]).any():  # the fast motion of one coordinate is in the others as well
            noise[:] = np.nan
        spread = np.nanstd(np.concatenate([orbit.z.numpy() for orbit in smoothed]), axis=0)
        moving = [i for i in own if spread[i] > 0]
        relative = float((noise[moving] / spread[moving]).max()) if moving else 0.0
        return cls(smoothed, measured, noise, relative, per_turn)


def _measured_alone(orbit: Orbit) -> Orbit:
    """Return an orbit in float64 whose angles continue across their periods, without derived velocities."""
    found = continuous(orbit)
    derived = torch.tensor(list(sources_of(orbit)), dtype=torch.long)
    return replace(found, z=found.z.index_fill(-1, derived, torch.nan))


def _without_pauses(orbit: Orbit) -> list[Orbit]:
    """Return the parts of a single orbit between pauses, without the times at which nothing was measured."""
    parts = []
    for one in orbit.separate():
        steps = one.t.diff().abs()
        ends = (np.flatnonzero((steps > PAUSE * steps.median()).numpy()) + 1).tolist() if len(steps) else []
        parts += [replace(one, t=one.t[a:b], z=one.z[a:b]) for a, b in pairwise([0, *ends, len(one.t)])]
    return parts


def _joined(orbit: Orbit, near: np.ndarray, parts: Sequence[tuple[Smooth, int, int]]) -> Orbit:
    """Return an orbit with the given derivative of each smoothed signal as a coordinate, and the next one as its rate.

    Each part is a signal, its coordinate in ``near``, which says where it is known, and the derivative.
    """
    found = []
    for more in (0, 1):
        columns = [np.where(near[:, i] & (s.errors[k + more] < np.inf), s.values[k + more], np.nan) for s, i, k in parts]
        found.append(torch.from_numpy(np.stack(columns, axis=-1)))
    return replace(orbit, z=found[0], rate=found[1])


def _between_measured(orbits: Sequence[Orbit]) -> list[np.ndarray]:
    """Return where each coordinate of single orbits was measured, or between values at most ``GAP`` apart."""
    times, seen = [orbit.t.numpy() for orbit in orbits], [orbit.measured.numpy() for orbit in orbits]
    near = [known.copy() for known in seen]
    for i in range(orbits[0].dim):
        own = [np.flatnonzero(known[:, i]) for known in seen]
        steps = [np.abs(np.diff(t[where])) for t, where in zip(times, own, strict=True)]
        if not sum(map(len, steps)):
            continue
        longest = GAP * float(np.median(np.concatenate(steps)))
        for known, where, step in zip(near, own, steps, strict=True):
            for k in np.flatnonzero((np.diff(where) > 1) & (step <= longest)):
                known[where[k] : where[k + 1], i] = True
    return near


def _per_turn(orbits: Sequence[Orbit]) -> float:
    """Return the number of states in the time in which the fastest coordinate oscillates once."""
    z, rate = (np.concatenate([getattr(orbit, name).numpy() for orbit in orbits]) for name in ("z", "rate"))
    step = float(np.median(np.concatenate([np.abs(np.diff(orbit.t.numpy())) for orbit in orbits])))
    return of_rates(z, rate, step)


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
        listed = [orbits] if isinstance(orbits, Orbit) else list(orbits) if isinstance(orbits, Iterable) else []
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
