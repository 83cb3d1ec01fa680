"""Splits that do not flatter: by orbit, or by blocks of time with a gap, never by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch

from systems import InputError, Orbit
from systems.recording.derivatives import stretches
from systems.scalars import seeded


def split_orbits(orbits: Orbit, fractions: Sequence[float], seed: int = 0) -> list[Orbit]:
    """Share the orbits of a batch out to parts of the sizes given, at random: no orbit is in two parts.

    A random split of the *samples* would put neighbours in time on both sides and flatter the result.

    orbits: ``(n, T, D)``. fractions: of each part; they sum to at most 1. Raises InputError where a part would be empty.

    >>> import systems
    >>> pendulum = systems.get("pendulum")
    >>> many = pendulum.orbit(pendulum.sample(10), torch.linspace(0, 1, 5))
    >>> [len(part) for part in split_orbits(many, [0.8, 0.2])]
    [8, 2]
    """
    if len(orbits.shape) != 2:
        raise InputError(f"a split by orbit needs a batch of orbits (n, T), not the shape {tuple(orbits.shape)}")
    n = len(orbits)
    ends = [0, *_ends(fractions, n)]
    order = torch.randperm(n, generator=seeded(seed))
    parts = [order[a:b].sort().values for a, b in pairwise(ends)]
    if any(len(part) == 0 for part in parts):
        raise InputError(f"{n} orbits are too few for parts of {list(fractions)}")
    return [orbits[part.to(orbits.z.device)] for part in parts]


def split_time(orbit: Orbit, fractions: Sequence[float], gap: int = 0) -> list[Orbit]:
    """Cut an orbit into consecutive blocks of time, leaving ``gap`` samples out between two of them.

    For a single recording. The gap should be at least the window of the filter that the rates come from, so that no
    sample of one block has gone into another.

    fractions: of each block; they sum to at most 1. Raises InputError where a block would be empty.
    """
    n = len(orbit.t)
    ends = _ends(fractions, n)
    starts = [0, *(end + gap for end in ends[:-1])]
    if any(a >= b for a, b in zip(starts, ends, strict=True)):
        raise InputError(f"{n} samples are too few for blocks of {list(fractions)} with gaps of {gap}")
    return [orbit[..., a:b] for a, b in zip(starts, ends, strict=True)]


def join(parts: Sequence[Orbit]) -> Orbit:
    """Stretches of one recording as a single orbit, in the order of time, whose times have gaps.

    Raises InputError for none, or where two overlap.
    """
    if not parts:
        raise InputError("the recording holds no orbit")
    ordered = sorted(parts, key=lambda orbit: float(orbit.t[0]))
    if any(a.t[-1] >= b.t[0] for a, b in pairwise(ordered)):
        raise InputError("two stretches of a recording overlap in time")
    rates = [orbit.rate for orbit in ordered if orbit.rate is not None]
    return replace(
        ordered[0],
        t=torch.cat([orbit.t for orbit in ordered]),
        z=torch.cat([orbit.z for orbit in ordered], dim=-2),
        rate=torch.cat(rates, dim=-2) if len(rates) == len(ordered) else None,
    )


def longest_stretch(orbit: Orbit) -> Orbit:
    """The longest part of an orbit without a gap: without a step that is half as long again as usual."""
    return orbit[..., max(stretches(orbit.t.cpu().numpy(), 1.5), key=lambda part: part.stop - part.start)]


def _ends(fractions: Sequence[float], n: int) -> list[int]:
    if not fractions or min(fractions) <= 0 or sum(fractions) > 1 + 1e-9:
        raise InputError(f"fractions must be positive and sum to at most 1, not {list(fractions)}")
    return [round(n * sum(fractions[: i + 1])) for i in range(len(fractions))]
