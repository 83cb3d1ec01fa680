"""Follow orbits step by step, and find the points at which an event happens to them."""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import Resolution
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.crossing import Steps
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.threads import suited_to

TOGETHER = 64  # steps that are searched at once
MOST_TOGETHER, MOST_NUMBERS = 2048, 2**20  # compiled steps, and numbers of their states

Points = tuple[Tensor, Tensor, Tensor]


class Event(Protocol):
    """Something that happens within a step, such as the crossing of a surface."""

    def marked(
        self, rollout: Rollout, t: Float[Tensor, " c1"], path: Float[Tensor, "c1 n D"]
    ) -> tuple[Bool[Tensor, "c n"], Bool[Tensor, "c n"]]:
        """Return in which steps the event happens or may happen, and in which of these it may happen several times."""

    def points(self, rollout: Rollout, steps: Steps, suspect: Bool[Tensor, " m"]) -> Points:
        """Return (orbit, t, z) of the events in the marked steps, unordered."""


def events(rollout: Rollout, resolution: Resolution, event: Event, bounds: Bounds) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (orbit, t, z) of all events, sorted by orbit and then by time, and which orbits escaped.

    Each orbit is followed with the step that resolves it. Orbits that are not resolved have no events.
    """
    escaped = torch.zeros(len(rollout.z), dtype=torch.bool, device=rollout.z.device)
    found = []
    with suited_to(rollout.z.numel() * TYPICAL_WIDTH):
        for rows, group in resolution.groups(rollout, resolution.resolved):
            numbers, t, z, escaped[rows] = _follow(group, event, bounds.among(rows, resolution.scale[rows]))
            found.append((rows[numbers], t, z))
    empty = (torch.zeros(0, dtype=torch.long, device=rollout.z.device), rollout.z.new_zeros(0), rollout.z[:0])
    orbit, t, z = (torch.cat(parts) for parts in zip(empty, *found, strict=True))
    order = torch.argsort(t, stable=True)
    order = order[torch.argsort(orbit[order], stable=True)]
    return orbit[order], t[order], z[order], escaped


def stretch(rollout: Rollout) -> int:
    """Return how many steps are searched at once."""
    if rollout.compiled is None:
        return TOGETHER
    return max(TOGETHER, min(MOST_TOGETHER, MOST_NUMBERS // max(rollout.z.numel(), 1)))


def _follow(rollout: Rollout, event: Event, bounds: Bounds) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (orbit, t, z) of the events, unordered, and which orbits escaped."""
    alive = torch.arange(len(rollout.z), device=rollout.z.device)
    escaped = torch.zeros_like(alive, dtype=torch.bool)
    z = rollout.z
    found: list[Points] = [(alive[:0], z[:0, 0], z[:0])]
    together = stretch(rollout)
    for start in range(0, rollout.steps, together):
        path = rollout.path(z, start, min(together, rollout.steps - start))  # (steps + 1, n, D)
        z = path[-1]
        gone = bounds.left(path, alive).cummax(0).values
        times = (torch.arange(start, start + len(path), dtype=torch.float64, device=z.device) * rollout.dt).to(z)
        marked, suspect = event.marked(rollout, times, path)
        at, which = (marked & ~gone[1:]).nonzero(as_tuple=True)
        if len(at):
            steps = Steps(
                alive[which], times[at], torch.full_like(times[at], rollout.dt), path[at, which], path[at + 1, which]
            )
            found.append(event.points(rollout, steps, suspect[at, which]))
        escaped[alive[gone[-1]]] = True
        z, alive = z[~gone[-1]], alive[~gone[-1]]
        if not len(alive):
            break
    orbit, t, z = (torch.cat(parts) for parts in zip(*found, strict=True))
    return orbit, t, z, escaped
