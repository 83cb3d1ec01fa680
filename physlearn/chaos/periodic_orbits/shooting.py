"""Segments of an orbit with their tangent maps, by adaptive integration of the states and one deviation vector at a time."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.variational import joint
from physlearn.flow import FlowLike
from physlearn.integrators import Flow
from systems import IntegrationError
from systems.compiled.orbits import orbits
from systems.reference.solvers import solve
from systems.time_dependence import depends_on_time

TOLERANCE = 1e-14  # of a step, relative to the size of each coordinate
PROBES = (0.0, 0.317, 1.731, 24.6)  # times at which a field of unknown kind is compared, in its own time scales
Ends = tuple[Float[Tensor, "S D"], Float[Tensor, "S D D"]]


@dataclass(frozen=True)
class Shooter:
    """A flow whose orbits and tangent maps are integrated to many digits.

    Parameters
    ----------
    rollout
        The flow, its compiled field, and the state with which it was checked.
    driven
        Whether the field depends on time.
    """

    rollout: Rollout
    driven: bool

    @classmethod
    def of(cls, flow: FlowLike, z: Float[Tensor, " D"]) -> Shooter:
        """Check the flow and a state, and compile the field if that is possible."""
        rollout = Rollout.of(flow, z.double(), 1.0, 1.0)
        seen = rollout.flow
        driven = not seen.autonomous and (seen.period is not None or depends_on_time(seen.field, rollout.z, PROBES))
        return cls(rollout, driven)

    @property
    def flow(self) -> Flow:
        """The flow, with its compiled field if there is one."""
        return self.rollout.flow

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return self.rollout.coordinates

    def rates(self, t: Float[Tensor, " S"], z: Float[Tensor, "S D"]) -> Float[Tensor, "S D"]:
        """Return the field at a time for each state."""
        if not self.driven:
            return self.flow.field(z.new_zeros(()), z)
        times = t if self.flow.period is None else t % self.flow.period
        return torch.stack([self.flow.field(*one) for one in zip(times, z, strict=True)])

    def along(self, z: Float[Tensor, "S D"], starts: Float[Tensor, " S"], since: Float[Tensor, " T"]) -> Tensor:
        """Return the states ``(S, T, D)`` at some times since the start of each segment."""
        return self._integrated(z, starts, since, tangent=False)

    def carried(self, z: Float[Tensor, "S D"], starts: Float[Tensor, " S"], time: float) -> Ends:
        """Return the states after a time, and the derivatives of these by the states z."""
        count, dim = z.shape
        unit = torch.eye(dim, dtype=z.dtype).expand(count, dim, dim)
        together = torch.stack([z[:, None].expand(count, dim, dim), unit], dim=-1).flatten(2)  # (S, vector, 2 D)
        since = torch.tensor([0.0, time], dtype=torch.float64)
        ends = self._integrated(together.flatten(0, 1), starts.repeat_interleave(dim), since, tangent=True)[:, -1]
        ends = ends.reshape(count, dim, dim, 2)
        return ends[:, 0, :, 0], ends[..., 1].mT.contiguous()

    def _integrated(self, y: Tensor, starts: Tensor, since: Tensor, *, tangent: bool) -> Tensor:
        if not self.driven:
            return self._solved(y, since, tangent=tangent)
        groups = starts.unique_consecutive(return_counts=True)
        parts = zip(y.split(groups[1].tolist()), groups[0].tolist(), strict=True)
        return torch.cat([self._solved(part, start + since, tangent=tangent) for part, start in parts])

    def _solved(self, y: Tensor, t: Tensor, *, tangent: bool) -> Float[Tensor, "n T Y"]:
        try:
            return self._states(y, t, tangent=tangent)
        except torch.linalg.LinAlgError as error:  # of numbers that are far too large
            raise IntegrationError("a segment cannot be followed: its states or deviations grow without bound") from error

    def _states(self, y: Tensor, t: Tensor, *, tangent: bool) -> Float[Tensor, "n T Y"]:
        if self.rollout.compiled is not None:
            field = self.rollout.compiled.field
            return orbits(field.tangent(1) if tangent else field, y, t, 0.0, TOLERANCE, self.flow.period)
        flow = joint(self.flow)

        def deviating(t: Tensor, y: Tensor) -> Tensor:
            return flow.field(t, y.unflatten(-1, (-1, 2)).mT.contiguous()).mT.flatten(1)

        return solve(deviating if tangent else self.flow.field, y, t, rtol=0.0, atol=TOLERANCE, period=self.flow.period)


def is_multiple(time: float, period: float) -> bool:
    """Return whether a time is a whole number of periods, up to rounding."""
    count = round(time / period)
    return count > 0 and isclose(time, count * period, rel_tol=1e-9)
