"""Resolution: how far each coordinate of an orbit ranges, and by which steps the orbit is followed faithfully."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.integrators import find
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.threads import suited_to
from systems.errors import outside

ENERGY = 3e-3  # of the kinetic energy's scale: drifts that are larger move orbits to other tori, or off them
PART = 3e-3  # of an orbit's spread: the most that one step and two half steps may differ
LEVELS = (0, 3)  # halvings of the step that are tried; more would take longer than all else together
FIRST, FEWEST, MOST = 1 / 8, 1024, 4096  # part of the steps that is probed, and bounds of their number
TOGETHER = 64  # steps that are measured at once
ROUNDING = 16  # machine epsilons of its size by which a constant coordinate may move


@dataclass(frozen=True)
class Resolution:
    """What a short run without deviations says of each orbit.

    scale: ``(n, D)``, the spread of each coordinate, the unit of its deviations. action: ``(n,)``, the largest
    ``|p dq/dt|``, the unit of errors of the energy. level: ``(n,)``, halvings of the rollout's step. error: ``(n,)``, of the
    energy in units of the action, or the most by which a step and two half steps part in units of the scale. resolved:
    ``(n,)``, whether the error is small enough. still: ``(n,)``, whether no step moved the orbit at all.
    """

    scale: Float[Tensor, "n D"]
    action: Float[Tensor, " n"]
    level: Int[Tensor, " n"]
    error: Float[Tensor, " n"]
    resolved: Bool[Tensor, " n"]
    still: Bool[Tensor, " n"]

    @classmethod
    def unknown(cls, rollout: Rollout) -> Resolution:
        """That of orbits that were not looked at."""
        n, z = len(rollout.z), rollout.z
        level = torch.zeros(n, dtype=torch.long, device=z.device)
        return cls(torch.ones_like(z), z.new_ones(n), level, z.new_full((n,), torch.nan), level == 0, level != 0)

    def groups(
        self, rollout: Rollout, wanted: Bool[Tensor, " n"] | None = None
    ) -> Iterator[tuple[Int[Tensor, " m"], Rollout]]:
        """The wanted orbits of each level, by default all, with their rollout."""
        for level in LEVELS:
            rows = ((self.level == level) if wanted is None else (self.level == level) & wanted).nonzero().squeeze(-1)
            if len(rows) or (level == 0 and not len(rollout.z)):
                yield rows, rollout.among(rows).finer(level)

    def warn(self, rollout: Rollout, what: str) -> None:
        """Warn the caller of orbits that even the finest steps do not resolve."""
        if not self.resolved.all():
            bad = ~self.resolved
            kind = "energy errors" if rollout.flow.hamiltonian is not None else "errors of a step"
            finest = rollout.dt / 2 ** LEVELS[-1]
            warnings.warn(
                f"{int(bad.sum())} of {len(bad)} orbits have {kind} up to {float(self.error[bad].max()):.2g} of their scale "
                f"in steps of {finest:.3g}, and {what}; take a smaller dt",
                stacklevel=outside(),
            )


def resolve(rollout: Rollout) -> Resolution:
    """Find the spread of each orbit, and the steps that resolve it: the rollout's own, or steps of an eighth.

    Each orbit is followed for the first part of the rollout. Where a Hamiltonian is known, its error counts, extrapolated to
    the whole rollout unless the method is symplectic; elsewhere the difference of one step and two half steps does. An orbit
    that is lost at the same time in both steps escapes, and needs no others.
    """
    n = len(rollout.z)
    result = Resolution.unknown(rollout)
    rows = torch.arange(n, device=rollout.z.device)
    ended = torch.full((n,), inf, dtype=torch.float64, device=rollout.z.device)
    for level in LEVELS:
        if not len(rows):
            break
        scale, action, error, end, still = _probe(rollout.among(rows), level)
        escaped = end.isfinite() & ((end - ended[rows]).abs() <= end / 8)
        good = (error <= (PART if rollout.flow.hamiltonian is None else ENERGY)) & ~end.isfinite() | escaped
        result.scale[rows], result.action[rows], result.error[rows] = scale, action, error
        result.level[rows] = torch.where(escaped, 0, level)
        result.resolved[rows], result.still[rows] = good, still
        ended[rows] = end
        rows = rows[~good]
    return result


def _probe(rollout: Rollout, level: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Scale, action, error of each orbit, when it was lost, and whether it stood still."""
    steps = min(rollout.steps, max(FEWEST, min(MOST, int(rollout.steps * FIRST))))
    part = steps / rollout.steps
    rollout, steps = rollout.finer(level), steps * 2**level
    energy, start = rollout.flow.hamiltonian, rollout.z
    n = len(start)
    first = start.new_zeros(n) if energy is None else energy(start)
    total, square = torch.zeros_like(start), torch.zeros_like(start)
    action, error = start.new_zeros(n), start.new_zeros(n, start.shape[-1] if energy is None else 1)
    end = torch.full((n,), inf, dtype=torch.float64, device=start.device)
    still = start.isfinite().all(-1)
    seen = start.new_zeros(n)
    z = start
    with torch.no_grad(), suited_to(z.numel() * TYPICAL_WIDTH):
        for begin in range(0, steps, TOGETHER):
            path = [z]
            numbers = range(begin, min(begin + TOGETHER, steps))
            for number in numbers:
                z = rollout.step(z.new_tensor(number * rollout.dt), z, rollout.dt)
                path.append(z)
            states = torch.stack(path)
            there = states.isfinite().all(-1)
            still &= (states == start).all(-1).all(0)
            fine = there[1:]
            number_of = torch.arange(1, len(fine) + 1, device=z.device)[:, None]
            near = fine & (fine[-1] | (2 * number_of <= fine.sum(0)))  # one that blows up ranges as far as it did long before
            moved = (states[1:] - start).masked_fill(~near[..., None], 0.0)
            total, square, seen = total + moved.sum(0), square + moved.square().sum(0), seen + near.sum(0)
            if energy is None:
                off = _parting(rollout, numbers, states).masked_fill(~fine[..., None], 0.0)
                error = error.maximum(off.amax(0))
            else:
                now = states[1:].masked_fill(~fine[..., None], 0.0)
                rate = rollout.flow.field(z.new_zeros(()), now)
                half = now.shape[-1] // 2
                action = action.maximum((now[..., half:] * rate[..., :half]).sum(-1).abs().amax(0))
                off = (energy(now) - first).abs().masked_fill(~fine, 0.0)
                error = error.maximum(off.amax(0)[:, None])
            left = ~there[-1] & end.isinf()
            end[left] = begin * rollout.dt + rollout.dt * there[:, left].sum(0).double()
            if bool((~there[-1]).all()):
                break
    mean = total / seen.clamp(min=1)[:, None]
    spread = (square / seen.clamp(min=1)[:, None] - mean.square()).clamp(min=0).sqrt()
    scale = _filled(spread, start.abs(), rollout)
    if energy is None:
        relative = (error / scale).amax(-1)
    else:
        relative = torch.where(error[:, 0] > 0, error[:, 0] / action, 0.0)
        relative = relative if find(rollout.method).symplectic else relative / part
    return scale, action, relative.nan_to_num(nan=inf), end, still


def _parting(rollout: Rollout, numbers: range, states: Float[Tensor, "c1 n D"]) -> Float[Tensor, "c n D"]:
    """By how much the states after each step differ from those after two half steps."""
    half = rollout.dt / 2
    if rollout.flow.autonomous:
        zero = states.new_zeros(())
        return (rollout.step(zero, rollout.step(zero, states[:-1], half), half) - states[1:]).abs()
    parts = []
    for number, before, after in zip(numbers, states[:-1], states[1:], strict=True):
        t = [before.new_tensor(number * rollout.dt + k * half) for k in (0, 1)]
        parts.append((rollout.step(t[1], rollout.step(t[0], before, half), half) - after).abs())
    return torch.stack(parts)


def _filled(spread: Float[Tensor, "n D"], size: Float[Tensor, "n D"], rollout: Rollout) -> Float[Tensor, "n D"]:
    """The spread of each coordinate; of one that stands still, that of its kind.

    An angle spreads over its period at most. A coordinate that moves by rounding alone stands still. Its kind are the
    other positions, or the other momenta, of a Hamiltonian, and all coordinates otherwise; where all of a kind stand
    still, their size counts.
    """
    spread = spread.minimum(spread.new_tensor(rollout.turning) / sqrt(12))
    still = ~(spread > ROUNDING * torch.finfo(spread.dtype).eps * size) | ~spread.isfinite()
    spread = spread.masked_fill(still, 0.0)
    dim = spread.shape[-1]
    halves = rollout.flow.hamiltonian is not None and dim % 2 == 0
    kinds = spread.reshape(len(spread), 2 if halves else 1, -1)
    sizes = size.reshape(kinds.shape).nan_to_num(posinf=0.0)
    common = kinds.amax(-1, keepdim=True)
    common = torch.where(common > 0, common, sizes.amax(-1, keepdim=True))
    common = torch.where(common > 0, common, 1.0)
    return torch.where(kinds > 0, kinds, common).reshape(spread.shape)
