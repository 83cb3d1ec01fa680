"""The coefficients of a linear field from measured states: segments that grow, and the choice of terms."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.degree_selection import sufficient
from physlearn.models.linear_field import LinearField
from physlearn.models.term_selection import Selection, select
from physlearn.models.units import Units
from physlearn.training.library_shooting import FINE, SMALLEST_NOISE, Segments, Shot, solved
from systems import InputError, Orbit

FIRST, FEWEST = 6, 3  # parts of a turn that the first segments last, and the fewest states in one
MIDDLE = 1  # turns that segments last at most before terms are chosen
TURNS, MOST = 10, 400  # largest length of a segment, in turns and in states
WORSE = 1.2  # factor by which the noise may increase if segments become longer
HELD = 5  # every fifth orbit is held out
GROUPS = 40  # of orbits or segments, which are drawn anew together
LOST = 0.5  # noise, relative to the spread, of a fit that follows nothing
NO_MOTION = (
    0.8  # noise, relative to the spread, of states that are nothing but noise; fits of short segments leave less than 1
)
NOTHING = (
    "no term is significant, because the states hardly move or their noise is as large as the motion: give more states, or "
    "smoother ones"
)
ROUNDS = 6  # in which terms are chosen again


@dataclass(frozen=True, eq=False)
class States:
    """Measured states of single orbits.

    Parameters
    ----------
    measured, smooth : list of Orbit
        The states, and smoothed ones at the same times.
    units : Units
        The units of the field.
    per_turn : float
        Number of states in the time in which the fastest coordinate oscillates once.
    """

    measured: Sequence[Orbit]
    smooth: Sequence[Orbit]
    units: Units
    per_turn: float
    _cut: dict[int, Segments] = dataclasses.field(init=False, repr=False, default_factory=dict)

    def segments(self, length: int) -> Segments:
        """Return segments of at most ``length`` states."""
        if length not in self._cut:
            self._cut[length] = Segments.of(self.measured, self.smooth, self.units, length)
        return self._cut[length]

    def lengths(self, parts: float | None = None) -> list[int]:
        """Return lengths of segments that double, from a part of a turn to several turns, or to the given part of a turn."""
        most = min(max(len(orbit.t) for orbit in self.measured), MOST)
        wanted = TURNS * self.per_turn if parts is None else self.per_turn / parts
        first = max(FEWEST, round(min(self.per_turn / FIRST, MOST)))
        last = max(first, min(most, round(min(wanted, MOST))))
        found = [min(first, last)]
        while found[-1] < last:
            found.append(min(last, 2 * found[-1]))
        return found

    def divided(self) -> tuple[States, States]:
        """Return four fifths of the orbits, and the others. Fewer than five orbits are divided into parts."""
        whole = self
        if len(self.measured) < HELD:
            parts = [
                [part for orbit in orbits for part in _parts(orbit, -(-HELD // len(orbits)))]
                for orbits in (self.measured, self.smooth)
            ]
            whole = replace(self, measured=parts[0], smooth=parts[1])
        out = [i % HELD == HELD // 2 for i in range(len(whole.measured))]
        return whole._among([i for i, held in enumerate(out) if not held]), whole._among([i for i, h in enumerate(out) if h])

    def _among(self, chosen: Sequence[int]) -> States:
        return replace(self, measured=[self.measured[i] for i in chosen], smooth=[self.smooth[i] for i in chosen])


def shot(field: LinearField, states: States, coefficients: Float[Tensor, " P"], parts: float | None = None) -> Shot:
    """Fit coefficients to states by shooting over segments that grow as long as the field follows them.

    Parameters
    ----------
    field
        The field.
    states
        The data.
    coefficients
        Where to begin.
    parts
        Part of a turn that the longest segments last; by default, they last several turns.
    """
    return _grown(field, states, coefficients, parts)[0].settled(FINE)


def _grown(field: LinearField, states: States, coefficients: Tensor, parts: float | None) -> tuple[Shot, Shot | None]:
    """Return the fit over the longest segments that the field follows, and that over longer ones, if it does not."""
    first, *others = states.lengths(parts)
    segments = states.segments(first)
    unit = torch.ones(field.dim, dtype=torch.float64)
    now = Shot(field, segments, coefficients, segments.start, unit).settled()
    for length in others:
        if bool((now.noise <= 2 * SMALLEST_NOISE).all()):
            break  # the states have no noise that longer segments would average
        trial = now.longer(states.segments(length)).settled()
        if not trial.converged:
            break
        if bool((trial.noise > WORSE * now.noise).any()):
            return now, trial
        now = trial
    return now, None


def degree_of(candidates: Mapping[int, tuple[LinearField, Tensor]], states: States, held: States | None) -> tuple[int, Tensor]:
    """Choose a degree by the error of short orbits that are held out, and return it with coefficients to begin with.

    The initial states of held-out orbits are fitted. Higher degrees are not tried after two that are not better.

    Parameters
    ----------
    candidates
        By degree, a field with coefficients to begin with.
    states, held
        The data, and other data; by default, a fifth of the orbits, or of the parts of a single one, is held out.
    """
    if held is None:
        states, held = states.divided()
    errors, found = [], []
    short = held.segments(held.lengths(FIRST)[0])
    groups = _groups(short)
    for field, start in candidates.values():
        now = shot(field, states, start, FIRST)
        found.append(now.coefficients)
        errors.append(_misfit(replace(now, segments=short, start=short.start), groups))
        scaled = np.stack(errors)
        exact = SMALLEST_NOISE**2 * np.bincount(groups.numpy()) * short.z[0].numel()
        best = sufficient(scaled, exact)
        if best < len(errors) - 2:
            break
    return list(candidates)[best], found[best]


def _misfit(now: Shot, groups: Tensor) -> Float[np.ndarray, " G"]:
    """Return the sums of squares that are left of each group after the initial states have been fitted."""
    unit = torch.ones_like(now.noise)
    for _ in range(2):
        now = replace(now, start=now.start + now.equations().states[..., -1])
    square = replace(now, noise=unit).residual.square().sum((1, 2)).nan_to_num(torch.inf)
    return torch.zeros(int(groups.max()) + 1, dtype=square.dtype).index_add(0, groups, square).numpy()


def sparse_shot(candidates: Mapping[int, tuple[LinearField, Tensor]], states: States, seed: int) -> tuple[Shot, Selection]:
    """Choose the coefficients that the states need, and fit those by shooting, in turns until the choice stays.

    Parameters
    ----------
    candidates
        By degree, a field with all coefficients up to it, and coefficients to begin with. Terms of the highest are chosen.
    states
        The data.
    seed
        Random seed of the bootstrap.
    """
    field, start = candidates[max(candidates)]
    now, tried = _grown(field, states, start, MIDDLE)[0], []
    if not bool((now.noise < LOST).all()):  # high powers that fit the rates of splines run away
        degree, start = degree_of(candidates, states, None)
        now = _grown(candidates[degree][0], states, start, MIDDLE)[0]
    fit, chosen = now, list(range(len(now.field)))
    for _ in range(ROUNDS):
        whole = torch.zeros(len(field), dtype=torch.float64)
        whole[chosen] = now.coefficients
        found = replace(now, field=field, coefficients=whole).equations(_groups(now.segments))
        values = int(now.segments.values.sum())
        selection = select(found.matrix.numpy(), found.right.numpy(), whole.numpy(), values, seed)
        if not selection.chosen:
            raise InputError(NOTHING)
        if selection.chosen in tried:
            break
        tried.append(selection.chosen)
        some, matrix = selection.chosen, found.matrix.sum(0)
        start = solved(matrix[some][:, some], (found.right.sum(0) + matrix @ whole)[some])
        trial, refused = _grown(field.among(some), states, start, None)
        if len(tried) > 1 and fit.converged and not trial.converged:
            break  # these terms lead astray
        fit, chosen = trial, some
        now = fit if refused is None else refused  # which shows what terms are missing
    for _ in range(ROUNDS):  # terms that a longer fit shows to be superfluous
        found = fit.equations(_groups(fit.segments))
        needed = select(
            found.matrix.numpy(), found.right.numpy(), fit.coefficients.numpy(), int(fit.segments.values.sum()), seed
        ).chosen
        if len(needed) in (0, len(chosen)):
            break
        chosen = [chosen[i] for i in needed]
        fit = _grown(field.among(chosen), states, fit.coefficients[needed], None)[0]
    if bool((fit.noise > NO_MOTION).all()):  # terms that make all motion die out at once can seem significant
        raise InputError(NOTHING)
    return fit.settled(FINE), replace(selection, chosen=chosen)


def _parts(orbit: Orbit, count: int) -> list[Orbit]:
    """Return an orbit in parts of equally many states, at least two."""
    ends = np.linspace(0, len(orbit.t), max(1, min(count, len(orbit.t) // 2)) + 1).astype(int).tolist()
    return [replace(orbit, t=orbit.t[a:b], z=orbit.z[a:b], rate=None) for a, b in pairwise(ends)]


def _groups(segments: Segments) -> Tensor:
    """Return groups of segments that are drawn together: whole orbits if there are enough, else successive segments."""
    runs, index = torch.unique(segments.run, return_inverse=True)
    if len(runs) < GROUPS // 4:
        runs, index = torch.arange(len(segments)), torch.arange(len(segments))
    return index * min(GROUPS, len(runs)) // len(runs)
