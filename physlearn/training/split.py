"""Splits of data into independent parts: by orbit, or by blocks of time with gaps, but never by sample.

A random split of the samples would put neighbours in time into different parts, so test losses would be too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch

from systems import InputError, Orbit
from systems.recording.derivatives import stretches
from systems.scalars import seeded


def split_orbits(orbits: Orbit, fractions: Sequence[float], seed: int = 0) -> list[Orbit]:
    """Split a batch of orbits at random into disjoint parts.

    Parameters
    ----------
    orbits : Orbit, shape ``(n, T)``
        A batch of n orbits.
    fractions
        Fraction of the orbits in each part; they sum to at most 1.
    seed
        Random seed.

    Returns
    -------
    list of Orbit
        One batch per part.

    Raises
    ------
    InputError
        If ``orbits`` is not such a batch, or a part would be empty.

    Examples
    --------
    >>> import systems
    >>> pendulum = systems.get("pendulum")
    >>> many = pendulum.orbit(pendulum.sample(10), torch.linspace(0, 1, 5))
    >>> [len(part) for part in split_orbits(many, [0.8, 0.2])]
    [8, 2]
    """
    if len(orbits.shape) != 2:
        raise InputError(f"a split by orbit needs a batch of orbits of shape (n, T), not {tuple(orbits.shape)}")
    n = len(orbits)
    ends = [0, *_ends(fractions, n)]
    order = torch.randperm(n, generator=seeded(seed))
    parts = [order[a:b].sort().values for a, b in pairwise(ends)]
    if any(len(part) == 0 for part in parts):
        raise InputError(f"{n} orbits are too few for parts of {list(fractions)}: give more orbits or larger fractions")
    return [orbits[part.to(orbits.z.device)] for part in parts]


def split_time(orbit: Orbit, fractions: Sequence[float], gap: int = 0) -> list[Orbit]:
    """Split an orbit, such as a single recording, into consecutive blocks of time with gaps between them.

    Parameters
    ----------
    orbit
        Orbit of n samples.
    fractions
        Fraction of the samples in each block, including the gap before it; they sum to at most 1.
    gap
        Number of samples left out between two blocks. It should be at least the window of the filter that computed the
        rates, so that no sample affects two blocks.

    Returns
    -------
    list of Orbit
        The blocks in the order of time.

    Raises
    ------
    InputError
        If a block would be empty.
    """
    n = orbit.shape[-1]
    ends = _ends(fractions, n)
    starts = [0, *(end + gap for end in ends[:-1])]
    if any(a >= b for a, b in zip(starts, ends, strict=True)):
        parts = ", ".join(f"{part:.3g}" for part in fractions)
        raise InputError(
            f"{n} samples are too few for blocks of {parts} of the orbit with gaps of {gap} samples between them; "
            "give a longer orbit or a smaller gap"
        )
    return [orbit[..., a:b] for a, b in zip(starts, ends, strict=True)]


def join(parts: Sequence[Orbit]) -> Orbit:
    """Join stretches of one recording into a single orbit, whose times have gaps.

    Parameters
    ----------
    parts
        The stretches, in any order.

    Returns
    -------
    Orbit
        All samples in the order of time; it has rates if all stretches have them.

    Raises
    ------
    InputError
        If there are no stretches, or two of them overlap.
    """
    if not parts:
        raise InputError("the recording has no orbit: give at least one stretch")
    ordered = sorted(parts, key=lambda orbit: float(orbit.common_times[0]))
    if any(a.t[-1] >= b.t[0] for a, b in pairwise(ordered)):
        raise InputError("two stretches of the recording overlap in time: give stretches that follow one another")
    rates = [orbit.rate for orbit in ordered if orbit.rate is not None]
    return replace(
        ordered[0],
        t=torch.cat([orbit.t for orbit in ordered]),
        z=torch.cat([orbit.z for orbit in ordered], dim=-2),
        rate=torch.cat(rates, dim=-2) if len(rates) == len(ordered) else None,
    )


def longest_stretch(orbit: Orbit) -> Orbit:
    """Return the longest stretch of an orbit without a gap, which is a step more than 1.5 times as long as usual.

    Parameters
    ----------
    orbit
        Orbit whose times may have gaps.

    Returns
    -------
    Orbit
        The stretch with the most samples.
    """
    return orbit[..., max(stretches(orbit.common_times.cpu().numpy(), 1.5), key=lambda part: part.stop - part.start)]


def _ends(fractions: Sequence[float], n: int) -> list[int]:
    if not fractions or min(fractions) <= 0 or sum(fractions) > 1 + 1e-9:
        raise InputError(f"fractions must be positive and sum to at most 1, not {list(fractions)}")
    return [round(n * sum(fractions[: i + 1])) for i in range(len(fractions))]
