"""The maxima of a coordinate along orbits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.crossing import Steps, along, rates, turning_time
from physlearn.chaos.rollout import Rollout


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
