"""The bounds beyond which an orbit has escaped."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from systems import InputError

FAR = 1e12  # default bound in units of the orbit's spread; orbits that start next to an unstable equilibrium stay within it


@dataclass(frozen=True)
class Bounds:
    """The bounds of some orbits: a radius, or, if that is None, 1e12 times the scale of each coordinate from the start.

    Angles are ignored, because an orbit may rotate for ever.
    """

    radius: float | None
    solid: Bool[Tensor, " D"]
    start: Float[Tensor, "n D"]
    scale: Float[Tensor, "n D"]

    @classmethod
    def of(cls, rollout: Rollout, radius: float | None) -> Bounds:
        """Return the bounds of a rollout's orbits; raise InputError for a radius that is not positive."""
        if radius is not None and not radius > 0:
            raise InputError(f"escape must be a positive radius, not {radius}")
        return cls(radius, rollout.z.new_tensor(rollout.turning).isinf(), rollout.z, torch.ones_like(rollout.z))

    def among(self, rows: Int[Tensor, " m"], scale: Float[Tensor, "m D"]) -> Bounds:
        """Return the bounds of some of the orbits, with the given scale."""
        return Bounds(self.radius, self.solid, self.start[rows], scale)

    def left(self, z: Float[Tensor, "*n m D"], rows: Int[Tensor, " m"]) -> Bool[Tensor, "*n m"]:
        """Return which states, of the orbits with indices ``rows``, are beyond the bounds or not finite."""
        if self.radius is None:
            far = ((z - self.start[rows]) / self.scale[rows])[..., self.solid].norm(dim=-1) > FAR
        else:
            far = z[..., self.solid].norm(dim=-1) > self.radius
        return far | ~z.isfinite().all(-1)
