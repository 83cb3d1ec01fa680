"""The maxima of a coordinate along orbits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.resolution import Resolution
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.crossing import Steps, along, rates, turning_time

TIMES = 3  # at which an orbit that came to rest is recorded
REST = 1e-9  # distance between these, relative to the size of the coordinates, at which an orbit is at rest


@dataclass(frozen=True)
class Maxima:
    """The event that the coordinate with index ``axis`` stops growing. The time is bisected to the last bit."""

    axis: int

    def marked(
        self, rollout: Rollout, t: Float[Tensor, " c1"], path: Float[Tensor, "c1 n D"]
    ) -> tuple[Bool[Tensor, "c n"], Bool[Tensor, "c n"]]:
        """Return in which steps of a path the coordinate has a maximum. Steps are too short for several."""
        slope = rates(rollout, t, path)[..., self.axis]
        found = (slope[:-1] > 0) & (slope[1:] <= 0)
        return found, torch.zeros_like(found)

    def points(self, rollout: Rollout, steps: Steps, suspect: Bool[Tensor, " m"]) -> tuple[Tensor, Tensor, Tensor]:
        """Return (orbit, t, z) of the maxima."""
        elapsed = turning_time(rollout, self.axis, steps, torch.ones_like(steps.h))
        return steps.orbit, steps.t + elapsed, along(rollout, steps, elapsed)


def with_rest(
    rollout: Rollout, resolution: Resolution, found: tuple[Tensor, Tensor, Tensor, Tensor], before: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the maxima (orbit, t, z, escaped), where orbits at rest after the time ``before`` are replaced by their end.

    Such an orbit has no maxima, or those that rounding gives.
    """
    orbit, t, z, escaped = found
    ends_of: list[tuple[Tensor, Tensor, Tensor]] = []
    for rows, group in resolution.groups(rollout, resolution.resolved & ~escaped):
        first = min(int(before / group.dt) + 1, group.steps - TIMES)
        each = (group.steps - first) // TIMES
        if first < 0 or not each:
            continue
        state = group.after(group.z, 0, first)
        states = [state := group.after(state, first + k * each, each) for k in range(TIMES)]
        ends = torch.stack(states, dim=1)  # (m, TIMES, D)
        size = ends.abs().amax((1, 2))
        still = (ends - ends[:, -1:]).abs().amax((1, 2)) <= REST * size
        when = (first + each * torch.arange(1, TIMES + 1, device=z.device)) * group.dt
        moving = ~torch.isin(orbit, rows[still])
        orbit, t, z = orbit[moving], t[moving], z[moving]
        ends_of.append((rows[still].repeat_interleave(TIMES), when.to(z).repeat(int(still.sum())), ends[still].flatten(0, 1)))
    orbit, t, z = (torch.cat(columns) for columns in zip((orbit, t, z), *ends_of, strict=True))
    order = torch.argsort(orbit, stable=True)
    return orbit[order], t[order], z[order], escaped
