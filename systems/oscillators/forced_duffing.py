"""The Duffing oscillator with friction and drive."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import System


@register("forced-duffing")
@dataclass(frozen=True)
class ForcedDuffing(System):
    r"""A particle with friction in a double well that is shaken: chaos in one degree of freedom.

    .. math:: \ddot x + \delta \dot x + \alpha x + \beta x^3 = \gamma \cos \omega t

    The state is ``z = (x, v)``, dimensionless; the field depends on time, with the drive's period. For the default
    parameters it is chaotic, with a largest Lyapunov exponent of about 0.10. Without friction and drive it is the system
    ``duffing``.

    Source: Holmes, Phil. Trans. R. Soc. A 292, 419 (1979).
    """

    delta: float = 0.3
    alpha: float = -1.0
    beta: float = 1.0
    gamma: float = 0.5
    omega: float = 1.2
    coordinates: ClassVar = ("x", "v")
    autonomous: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.omega > 0:
            raise InputError(f"omega, the frequency of the drive, must be a positive number, not {self.omega}")

    @property
    def period(self) -> float:
        """That of the drive."""
        return 2 * pi / self.omega

    def vector_field(self, t: Float[Tensor, "*batch"] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """(dx/dt, dv/dt) at one time for all states, or at one for each."""
        x, v = z.unbind(-1)
        # in float64: the phase of a late time has no digits left in float32
        phase = self.omega * torch.as_tensor(t, dtype=torch.float64, device=z.device)
        drive = (self.gamma * phase.cos()).to(z.dtype)
        return torch.stack([v, drive - self.delta * v - self.alpha * x - self.beta * x**3], dim=-1)

    def divergence(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """How fast phase-space area shrinks: -delta."""
        return torch.full_like(z[..., 0], -self.delta)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((-1.6, 1.6), (-0.8, 0.8))) -> Float[Tensor, "n 2"]:
        """n states, uniform in a box around both wells."""
        return box(n, bounds, seed)
