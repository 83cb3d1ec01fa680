"""Which orbits are chaotic, and how many of an energy."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from typing import Any

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.alignment import advance, smallest
from physlearn.chaos.variational import deviations, pieces
from physlearn.chaos.walk import Walk
from systems import InputError

# Of the alignment index, to which regular orbits do not fall: a lower one takes longer to be reached by orbits that stick to
# islands. At 3000 units of time it divides Henon-Heiles orbits as their exponents do, at 0.003.
THRESHOLD = 1e-4


def is_chaotic(
    flow: Any,
    z0: Float[Tensor, "*batch D"],
    time: float = 1000.0,
    dt: float = 0.05,
    threshold: float = THRESHOLD,
    *,
    seed: int = 0,
    method: str | None = None,
) -> Bool[Tensor, "*batch"]:
    """Whether the smallest alignment index of each orbit falls below the threshold within the time, by a deviation's growth.

    Deviations align where one direction grows, which is chaos, and where all others shrink, as near a limit cycle, which is
    not: one has to grow by the square root of 1/threshold meanwhile. An orbit is followed only until it does. One that
    escapes before is not called chaotic. Orbits that stick to islands for long need a longer time. Arguments as of `sali`,
    best in float64: in float32 rounding keeps the index above 1e-6.

    Raises InputError for wrong arguments.
    Source: Skokos, J. Phys. A 34, 10029 (2001).
    """
    return _classify(flow, z0, time, dt, threshold, seed, method)[0]


def chaotic_fraction(
    system: Any,
    energies: Sequence[float],
    n: int = 100,
    *,
    seed: int = 0,
    time: float = 3000.0,
    dt: float = 0.1,
    threshold: float = THRESHOLD,
    flow: Any = None,
    method: str | None = None,
) -> pd.DataFrame:
    r"""The fraction of chaotic orbits at each energy: a row with energy, fraction, error, chaotic, escaped and n.

    .. math:: \sigma = \sqrt{f (1 - f) / n}

    system: draws n states of each energy, ``system.sample(n, seed=seed, energy=energy)``. flow: what moves them, the system
    itself by default; a trained model, to see how much of the chaos it has learned. Orbits that escape before they are
    known to be chaotic are left out of the fraction, which is NaN where all do. time: some orbits stick to islands for
    thousands of units of it before they show that they are chaotic. Other arguments as of `is_chaotic`.

    Raises InputError for wrong arguments.
    """
    energies = [float(energy) for energy in energies]
    if not energies:
        raise InputError("chaotic_fraction needs at least one energy")
    z0 = torch.cat([system.sample(n, seed=seed, energy=energy) for energy in energies])
    chaotic, escaped = _classify(system if flow is None else flow, z0, time, dt, threshold, seed, method)
    rows = []
    for energy, yes, gone in zip(energies, chaotic.split(n), escaped.split(n), strict=True):
        many, left = int(yes.sum()), int(gone.sum())
        known = n - left
        fraction = many / known if known else float("nan")
        error = sqrt(fraction * (1 - fraction) / known) if known else float("nan")
        rows.append({"energy": energy, "fraction": fraction, "error": error, "chaotic": many, "escaped": left, "n": n})
    return pd.DataFrame(rows)


def by_growth(index: Float[Tensor, " n"], grown: Float[Tensor, " n"], threshold: float) -> Bool[Tensor, " n"]:
    """Whether deviations have aligned because they grew, by ``grown`` as a logarithm."""
    return (index < threshold) & (grown > -log(threshold) / 2)


def _classify(
    flow: Any, z0: Tensor, time: float, dt: float, threshold: float, seed: int, method: str | None
) -> tuple[Bool[Tensor, "*batch"], Bool[Tensor, "*batch"]]:
    """Which orbits are chaotic, and which escaped before they were known to be."""
    walk = Walk.of(flow, z0, time, dt, method)
    if not 0 < threshold < 1:
        raise InputError(f"threshold must lie between 0 and 1, not {threshold}")
    z, w = walk.z, deviations(walk.z, 2, seed)
    chaotic = torch.zeros(len(z), dtype=torch.bool, device=z.device)
    escaped = chaotic.clone()
    grown = torch.zeros(len(z), dtype=torch.float64, device=z.device)  # the logarithm of the first deviation's length
    followed = torch.arange(len(z), device=z.device)
    for first, steps in pieces(walk.steps):
        if not len(followed):
            break
        z, w, growth = advance(walk, first, steps, z, w)
        grown = grown + growth
        index = smallest(w)
        aligned, gone = by_growth(index, grown, threshold), index.isnan()
        chaotic[followed[aligned]] = True
        escaped[followed[gone]] = True
        open_ = ~(aligned | gone)
        z, w, grown, followed = z[open_], w[open_], grown[open_], followed[open_]
    return chaotic.reshape(walk.batch), escaped.reshape(walk.batch)
