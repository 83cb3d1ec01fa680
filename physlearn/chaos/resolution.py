"""Estimate the spread of each coordinate along an orbit, and the step that resolves the orbit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.threads import suited_to
from systems.errors import outside
from systems.reference.time_scale import fastest_rate

ENERGY = 3e-3  # largest energy error, in units of the kinetic energy; a larger drift moves orbits to other tori, or off them
PART = 3e-3  # largest difference between a step and two half steps, in units of the orbit's spread
LONGEST = 2.0  # longest step in units of 1/rate; explicit methods are unstable beyond 1.6 to 2.8 of these
LEVELS = (0, 3)  # numbers of halvings of the step that are tried; more would take longer than everything else together
FIRST, FEWEST, MOST = 1 / 8, 1024, 4096  # part of the steps that is probed, and bounds on the number of these steps
TOGETHER = 64  # steps that are evaluated at once by torch
LARGEST = 500_000  # numbers that are evaluated at once after compiled steps
APART = 4  # every so many steps, those of a field that depends on time are compared, one after another
ROUNDING = 16  # machine epsilons, relative to its size, by which a constant coordinate may move


@dataclass(frozen=True)
class Resolution:
    """Properties of each orbit, estimated from a short run without deviation vectors.

    Parameters
    ----------
    scale : shape ``(n, D)``
        Spread of each coordinate, the unit of deviations.
    action : shape ``(n,)``
        Largest ``|p dq/dt|``, the unit of energy errors.
    level : shape ``(n,)``
        Number of times that the rollout's step is halved.
    error : shape ``(n,)``
        Energy error in units of the action, or the largest difference between a step and two half steps in units of the scale.
    resolved : shape ``(n,)``
        Whether the error is small enough.
    still : shape ``(n,)``
        Whether the orbit did not move at all.
    """

    scale: Float[Tensor, "n D"]
    action: Float[Tensor, " n"]
    level: Int[Tensor, " n"]
    error: Float[Tensor, " n"]
    resolved: Bool[Tensor, " n"]
    still: Bool[Tensor, " n"]

    @classmethod
    def unknown(cls, rollout: Rollout) -> Resolution:
        """Return the resolution of orbits that have not been examined."""
        n, z = len(rollout.z), rollout.z
        level = torch.zeros(n, dtype=torch.long, device=z.device)
        return cls(torch.ones_like(z), z.new_ones(n), level, z.new_full((n,), torch.nan), level == 0, level != 0)

    def groups(
        self, rollout: Rollout, wanted: Bool[Tensor, " n"] | None = None
    ) -> Iterator[tuple[Int[Tensor, " m"], Rollout]]:
        """Yield the indices and the rollout of the wanted orbits of each level; all orbits by default."""
        for level in LEVELS:
            rows = ((self.level == level) if wanted is None else (self.level == level) & wanted).nonzero().squeeze(-1)
            if len(rows) or (level == 0 and not len(rollout.z)):
                yield rows, rollout.among(rows).finer(level)

    def warn(self, rollout: Rollout, what: str) -> None:
        """Warn the caller about orbits that are not resolved even with the smallest steps."""
        if not self.resolved.all():
            bad = ~self.resolved
            kind = "energy errors" if rollout.flow.hamiltonian is not None else "step errors"
            finest = rollout.dt / 2 ** LEVELS[-1]
            warnings.warn(
                f"{int(bad.sum())} of {len(bad)} orbits have {kind} up to {float(self.error[bad].max()):.2g} of their scale "
                f"with steps of {finest:.3g}, so {what}; use a smaller dt",
                stacklevel=outside(),
            )


def resolve(rollout: Rollout) -> Resolution:
    """Find the spread of each orbit and the step that resolves it: that of the rollout, or an eighth of it.

    Each orbit is integrated over the first part of the rollout. If the Hamiltonian is known, the criterion is the energy
    error, extrapolated to the whole rollout unless the method is symplectic; otherwise it is the difference between one step
    and two half steps. A step that is too long for the fastest linear motion at the start does not resolve an orbit either,
    because the solution may explode, and its errors are small next to the spread that it then has. An orbit that diverges at
    the same time with both steps escapes, and is not refined further. A map has no step that could be too long.
    """
    n = len(rollout.z)
    result = Resolution.unknown(rollout)
    rows = torch.arange(n, device=rollout.z.device)
    ended = torch.full((n,), inf, dtype=torch.float64, device=rollout.z.device)
    fastest = (
        ended.new_zeros(n)
        if rollout.flow.discrete
        else fastest_rate(rollout.flow.jacobian(rollout.z.new_zeros(()), rollout.z))
    )
    for level in LEVELS[:1] if rollout.flow.discrete else LEVELS:
        if not len(rows):
            break
        scale, action, error, end, still = _probe(rollout.among(rows), level)
        error = error.masked_fill(fastest[rows] * rollout.dt > LONGEST * 2**level, inf)
        escaped = end.isfinite() & ((end - ended[rows]).abs() <= end / 8)
        good = (
            (error <= (PART if rollout.flow.hamiltonian is None else ENERGY)) & ~end.isfinite()
            | escaped
            | rollout.flow.discrete
        )
        result.scale[rows], result.action[rows], result.error[rows] = scale, action, error
        result.level[rows] = torch.where(escaped, 0, level)
        result.resolved[rows], result.still[rows] = good, still
        ended[rows] = end
        rows = rows[~good]
    return result


def _probe(rollout: Rollout, level: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return scale, action and error of each orbit, the time when it diverged, and whether it did not move."""
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
    together = TOGETHER if rollout.compiled is None else TOGETHER * max(1, LARGEST // (TOGETHER * start.numel()))
    with torch.no_grad(), suited_to(z.numel() * TYPICAL_WIDTH):
        for begin in range(0, steps, together):
            numbers = range(begin, min(begin + together, steps))
            states = rollout.path(z, begin, len(numbers))
            z = states[-1]
            there = states.isfinite().all(-1)
            still &= (states == start).all(-1).all(0)
            fine = there[1:]
            near = _long_before(fine)
            moved = (states[1:] - start).masked_fill(~near[..., None], 0.0)
            total, square, seen = total + moved.sum(0), square + moved.square().sum(0), seen + near.sum(0)
            if rollout.flow.discrete:
                pass
            elif energy is None:
                every = 1 if rollout.flow.autonomous else APART
                off = _parting(rollout, numbers[::every], states[:-1][::every], states[1:][::every])
                off = off.masked_fill(~fine[::every, :, None], 0.0)
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
        relative = relative if rollout.kind.symplectic else relative / part
    return scale, action, relative.nan_to_num(nan=inf), end, still


def _long_before(fine: Bool[Tensor, "c n"]) -> Bool[Tensor, "c n"]:
    """Return which states count: those of an orbit that diverges only in the first half of the last steps before it does."""
    if fine.all():
        return fine
    number = torch.arange(1, TOGETHER + 1, device=fine.device)[:, None]
    parts = fine.split(TOGETHER)
    return fine & torch.cat([part[-1] | (2 * number[: len(part)] <= part.sum(0)) for part in parts])


def _parting(
    rollout: Rollout, numbers: range, before: Float[Tensor, "c n D"], after: Float[Tensor, "c n D"]
) -> Float[Tensor, "c n D"]:
    """Return the difference between the states after each of some steps and after two half steps."""
    if rollout.flow.autonomous:
        ends = rollout.path(before.flatten(0, 1), 0, 1, parts=2)[1].reshape(after.shape)
    else:
        ends = torch.stack([rollout.path(z, number, 1, parts=2)[1] for number, z in zip(numbers, before, strict=True)])
    return (ends - after).abs()


def _filled(spread: Float[Tensor, "n D"], size: Float[Tensor, "n D"], rollout: Rollout) -> Float[Tensor, "n D"]:
    """Return the spread of each coordinate; constant coordinates get the largest spread of their kind.

    The spread of an angle is limited by its period. A coordinate that changes only by rounding is constant. For a Hamiltonian
    the positions are one kind and the momenta another; otherwise all coordinates are of one kind. If all coordinates of a kind
    are constant, their largest absolute value is used instead.
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
