"""Follow orbits with two deviation vectors until they are classified, or to the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isinf, log

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.chaos.classification.classes import (
    CHAOTIC,
    ESCAPED,
    GROWING,
    LEAVING,
    NONE,
    PLANAR,
    REGULAR,
    STILL,
    UNDECIDED,
    UNRESOLVED,
    Classification,
)
from physlearn.chaos.classification.growth import LEAST, Growth
from physlearn.chaos.classification.returns import Turns
from physlearn.chaos.classification.time_left import CLEAR, time_left
from physlearn.chaos.resolution import ENERGY, Resolution
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.alignment import advance, smallest
from physlearn.chaos.tangent.lyapunov import standard_error
from physlearn.chaos.tangent.variational import TOGETHER, between_renormalisations, deviations
from systems import InputError

ALONG = 0.1  # a deviation vector points along the coordinates in which it has at least this part of its largest component
ROUNDING = 8  # distance between aligned unit vectors due to rounding, in machine epsilons


def check_threshold(threshold: float, dtype: torch.dtype) -> None:
    """Raise InputError for a threshold that no alignment index can fall below, or that every index does."""
    if not 0 < threshold < 1:
        raise InputError(f"threshold must lie between 0 and 1, not {threshold}")
    if threshold <= ROUNDING * torch.finfo(dtype).eps:
        raise InputError(
            f"an alignment index in {dtype} does not fall below {threshold:g}; use states in float64 or a larger threshold"
        )


def planar(rollout: Rollout) -> bool:
    """Return whether the flow cannot be chaotic: it has one coordinate, or two and is autonomous."""
    return len(rollout.coordinates) <= (2 if rollout.flow.autonomous else 1)


def classify_rollout(
    rollout: Rollout,
    resolution: Resolution,
    threshold: float,
    seed: int,
    *,
    to_the_end: bool = False,
    progress: str | None = None,
) -> Classification:
    """Classify each orbit of a rollout; the results have the flattened batch shape.

    Orbits that no step resolves are not followed. Equilibria and orbits of flows that cannot be chaotic are followed only if
    ``to_the_end`` is True; orbits are then followed even after they were found to be chaotic. An orbit that does not move at
    first is undecided if the flow may depend on time, and regular otherwise.
    """
    n, device = len(rollout.z), rollout.z.device
    flat = planar(rollout)
    still = resolution.still & (not flat)
    unresolved = ~resolution.resolved & ~still & (not flat)
    nothing = torch.full((n,), torch.nan, dtype=rollout.z.dtype, device=device)
    result = Classification(
        code=torch.where(unresolved, UNDECIDED, REGULAR),
        reason=torch.where(unresolved, UNRESOLVED, PLANAR if flat else NONE),
        exponent=nothing,
        error=nothing.clone(),
        index=nothing.clone(),
        step_error=resolution.error.clone(),
        dt=rollout.dt / 2.0 ** resolution.level.to(rollout.z.dtype),
        time=rollout.time,
    )
    if flat and not to_the_end:
        return result
    start = deviations(rollout.z, min(2, len(rollout.coordinates)), seed).expand(-1, 2, -1).contiguous()
    for rows, group in resolution.groups(rollout, ~unresolved & (~still | to_the_end)):
        chase = _Chase.of(group, rows, resolution, result, threshold)
        chase.run(start[rows], to_the_end, progress)
    result.code[still] = REGULAR if rollout.flow.autonomous else UNDECIDED
    result.reason[still] = STILL
    return result


@dataclass
class _Chase:
    """Orbits that are integrated with the same step; ``rows`` are their indices in the result."""

    rollout: Rollout
    rows: Int[Tensor, " n"]
    scale: Float[Tensor, "n D"]
    action: Float[Tensor, " n"]
    result: Classification
    threshold: float
    history: Growth
    turns: Turns
    solid: Bool[Tensor, " D"]  # which coordinates are not angles: an orbit can leave along these
    first_energy: Float[Tensor, " n"] | None
    ends: list[float] = field(default_factory=list)

    @classmethod
    def of(
        cls, rollout: Rollout, rows: Int[Tensor, " n"], resolution: Resolution, result: Classification, threshold: float
    ) -> _Chase:
        energy = rollout.flow.hamiltonian
        return cls(
            rollout,
            rows,
            resolution.scale[rows],
            resolution.action[rows],
            result,
            threshold,
            Growth.of(len(rows), sum(map(isinf, rollout.turning)), len(rollout.coordinates), rollout.z.device),
            Turns.of(rollout.z / resolution.scale[rows]),
            rollout.z.new_tensor(rollout.turning).isinf(),
            None if energy is None else energy(rollout.z),
        )

    def run(self, w: Float[Tensor, "n 2 D"], to_the_end: bool, progress: str | None) -> None:
        """Follow the orbits, and write their classes into the result."""
        z = self.rollout.z
        grown = torch.zeros(len(z), dtype=torch.float64, device=z.device)  # logarithmic length of the first deviation vector
        extent = grown.new_full((len(z), int(self.solid.sum())), -inf)  # logarithmic distance from the start
        known = torch.zeros(len(z), dtype=torch.bool, device=z.device)
        followed = torch.arange(len(z), device=z.device)
        stretches = between_renormalisations(self.rollout.steps)
        if progress is not None:
            stretches = iter(tqdm(list(stretches), desc=progress, leave=False))
        index = grown
        for first, steps in stretches:
            if not len(followed):
                break
            z, w, more = advance(self.rollout, first, steps, z, w, self.scale[followed])
            grown, index = grown + more, smallest(w)
            gone = index.isnan() | ~grown.isfinite()
            extent = extent.maximum(self._extent(followed, z))
            self.history.add(followed, grown, extent, self.turns.add(followed, z / self.scale[followed]))
            t = (first + steps) * self.rollout.dt
            faithful = self._faithful(followed, z)
            found = self._chaotic(followed, w[:, 0], index, grown, faithful & ~known & ~gone)
            self._figures(followed[found], grown[found], index[found], t)
            if self.first_energy is not None:
                rows = self.rows[followed]
                found &= self.result.exponent[rows] > CLEAR * self.result.error[rows]
            self._write(followed[found], CHAOTIC, NONE)
            self._write(followed[gone & ~known], ESCAPED, NONE)
            if found.any() and self.first_energy is None:
                self._look_ahead(followed[found], z[found], w[found, :1], grown[found], first + steps)
            known = known | found
            open_ = ~gone & (to_the_end | ~found)
            if not open_.all():
                z, w, grown, extent, known, index = (x[open_] for x in (z, w, grown, extent, known, index))
                followed = followed[open_]
        if not len(followed):
            return
        self._figures(followed, grown, index, self.rollout.time)
        if planar(self.rollout):
            return
        unfaithful = ~(self.result.step_error[self.rows[followed]] <= ENERGY) & (self.first_energy is not None)
        growth, extent_growth = self.history.lately(followed)
        self._write(followed[(growth > max(self._need, LEAST) / 2) & ~known], UNDECIDED, GROWING)
        self._write(followed[(extent_growth > LEAST) & ~known], UNDECIDED, LEAVING)
        self._write(followed[unfaithful & ~known], UNDECIDED, UNRESOLVED)

    @property
    def _need(self) -> float:
        """The logarithmic growth that an alignment must be accompanied by."""
        return -log(self.threshold) / 2

    def _look_ahead(
        self, found: Int[Tensor, " m"], z: Float[Tensor, "m D"], w: Float[Tensor, "m 1 D"], grown: Tensor, number: int
    ) -> None:
        """Classify orbits whose deviations have grown by the time that is left, as they may reach an attractor in it."""
        past = torch.cat([self.history.kept[found, : self.history.count, 0], grown[:, None]], dim=1)
        apart = self.history.stride * TOGETHER
        left = time_left(self.rollout, z, w, self.scale[found], number, past, apart)
        rows = self.rows[found]
        self.result.exponent[rows] = left.exponent.to(self.result.exponent)
        self.result.error[rows] = left.error.to(self.result.error)
        self._write(found[~left.lasts], UNDECIDED, GROWING)
        self._write(found[left.rise <= LEAST], REGULAR, NONE)
        self._write(found[left.exponent.isnan()], ESCAPED, NONE)

    def _extent(self, followed: Int[Tensor, " m"], z: Float[Tensor, "m D"]) -> Float[Tensor, "m d"]:
        moved = ((z - self.rollout.z[followed]) / self.scale[followed])[:, self.solid]
        return moved.abs().double().nan_to_num(nan=0.0, posinf=0.0).clamp(min=1e-300).log()

    def _faithful(self, followed: Int[Tensor, " m"], z: Float[Tensor, "m D"]) -> Bool[Tensor, " m"]:
        """Return which orbits have conserved their energy so far."""
        if self.first_energy is None or self.rollout.flow.hamiltonian is None:
            return torch.ones(len(z), dtype=torch.bool, device=z.device)
        off = (self.rollout.flow.hamiltonian(z) - self.first_energy[followed]).abs()
        rows = self.rows[followed]
        error = torch.where(off > 0, off / self.action[followed], 0.0).nan_to_num(nan=0.0)  # NaN: the orbit has escaped
        self.result.step_error[rows] = self.result.step_error[rows].maximum(error)
        return self.result.step_error[rows] <= ENERGY

    def _chaotic(
        self,
        followed: Int[Tensor, " m"],
        w: Float[Tensor, "m D"],
        index: Float[Tensor, " m"],
        grown: Float[Tensor, " m"],
        open_: Bool[Tensor, " m"],
    ) -> Bool[Tensor, " m"]:
        """Return for which orbits the deviation vectors have aligned because they grew exponentially."""
        if planar(self.rollout):
            return torch.zeros_like(open_)
        chaotic = open_ & (index < self.threshold) & (grown > self._need)
        if chaotic.any():
            size = w[chaotic].abs()
            along = size >= ALONG * size.amax(-1, keepdim=True)
            chaotic[chaotic.clone()] = self.history.exponential(followed[chaotic], self._need, along)
        return chaotic

    def _write(self, followed: Int[Tensor, " m"], code: int, reason: int) -> None:
        rows = self.rows[followed]
        self.result.code[rows] = code
        if not planar(self.rollout) or code == ESCAPED:
            self.result.reason[rows] = reason

    def _figures(self, followed: Int[Tensor, " m"], grown: Float[Tensor, " m"], index: Float[Tensor, " m"], t: float) -> None:
        """Write the exponent, its error and the alignment index at time t into the result."""
        if not len(followed):
            return
        rows = self.rows[followed]
        history = self.history
        times = torch.arange(1, history.count + 1, dtype=torch.float64, device=grown.device) * history.stride * TOGETHER
        times = times.clamp(max=self.rollout.steps) * self.rollout.dt
        rates = history.kept[followed, : history.count, :1] / times[:, None]
        self.result.exponent[rows] = (grown / t).to(self.result.exponent)
        self.result.error[rows] = standard_error(rates, times)[:, 0].to(self.result.error)
        self.result.index[rows] = index.to(self.result.index)
