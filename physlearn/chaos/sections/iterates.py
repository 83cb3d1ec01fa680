"""The iterates of a map, or of the flow through one period of its drive: these are sections of their own."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import torch
from torch import Tensor

from physlearn.chaos.leaving import Bounds
from physlearn.chaos.rollout import Rollout

NUMBERS = 2**22  # of the states that are held at once


def iterates(rollout: Rollout, bounds: Bounds, *, parts: int = 1, first: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (orbit, t, z) after each step, sorted by orbit and time, and which orbits escaped.

    Each step is divided into ``parts`` shorter ones. The first of the states comes after the part ``first`` of a step, between
    0 and 1, and each other one a step later. The states of an orbit are left out from its escape on.
    """
    alive = torch.arange(len(rollout.z), device=rollout.z.device)
    escaped = torch.zeros_like(alive, dtype=torch.bool)
    together, done = max(1, NUMBERS // max(1, rollout.z.numel())), 1
    path = replace(rollout, dt=first * rollout.dt).path(rollout.z, 0, 1, parts=ceil(first * parts))[1:]
    found = []
    while True:
        gone = bounds.left(path, alive).cummax(0).values
        when, which = (~gone).nonzero(as_tuple=True)
        t = (when.double() + (first + done - len(path))) * rollout.dt
        found.append((alive[which], t.to(path), path[when, which]))
        escaped[alive[gone[-1]]] = True
        z, alive = path[-1][~gone[-1]], alive[~gone[-1]]
        if done == rollout.steps or not len(alive):
            break
        count = min(together, rollout.steps - done)
        path = rollout.path(z, first + done - 1, count, parts)[1:]
        done += count
    orbit, t, z = (torch.cat(columns) for columns in zip(*found, strict=True))
    order = torch.argsort(orbit, stable=True)
    return orbit[order], t[order], z[order], escaped
