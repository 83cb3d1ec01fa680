"""The iterates of a map, which is its own section."""

from __future__ import annotations

import torch
from torch import Tensor

from physlearn.chaos.leaving import Bounds
from physlearn.chaos.rollout import Rollout

NUMBERS = 2**22  # of the states that are held at once


def iterates(rollout: Rollout, bounds: Bounds) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (orbit, t, z) of all iterates, sorted by orbit and time, and which orbits escaped.

    The initial states are left out, and so are the states of an orbit from its escape on.
    """
    alive = torch.arange(len(rollout.z), device=rollout.z.device)
    escaped = torch.zeros_like(alive, dtype=torch.bool)
    z, together = rollout.z, max(1, NUMBERS // max(1, rollout.z.numel()))
    found = [(alive[:0], z[:0, 0], z[:0])]
    for first in range(0, rollout.steps, together):
        path = rollout.path(z, first, min(together, rollout.steps - first))[1:]
        z = path[-1]
        gone = bounds.left(path, alive).cummax(0).values
        when, which = (~gone).nonzero(as_tuple=True)
        found.append((alive[which], (first + 1 + when).to(z), path[when, which]))
        escaped[alive[gone[-1]]] = True
        z, alive = z[~gone[-1]], alive[~gone[-1]]
        if not len(alive):
            break
    orbit, t, z = (torch.cat(parts) for parts in zip(*found, strict=True))
    order = torch.argsort(orbit, stable=True)
    return orbit[order], t[order], z[order], escaped
