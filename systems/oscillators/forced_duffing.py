"""The damped, driven Duffing oscillator."""

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
    r"""A damped, periodically driven particle in a double well: chaos with one degree of freedom.

    .. math:: \ddot x + \delta \dot x + \alpha x + \beta x^3 = \gamma \cos \omega t

    The state is ``z = (x, v)``, dimensionless. The field depends on time with the period of the drive. For the default
    parameters, the motion is chaotic with a largest Lyapunov exponent of about 0.10. Without damping and drive, this is the
    system ``duffing``.

    Parameters
    ----------
    delta : float, default 0.3
        Damping.
    alpha : float, default -1
        Linear stiffness.
    beta : float, default 1
        Cubic stiffness.
    gamma : float, default 0.5
        Amplitude of the drive.
    omega : float, default 1.2
        Angular frequency of the drive.

    Raises
    ------
    InputError
        If omega is not positive.

    Notes
    -----
    Use it for chaos with a drive: a strange attractor in the stroboscopic section, and period doubling as gamma grows.

    References
    ----------
    Holmes, Phil. Trans. R. Soc. A 292, 419 (1979).
    """

    delta: float = 0.3
    alpha: float = -1.0
    beta: float = 1.0
    gamma: float = 0.5
    omega: float = 1.2
    coordinates: ClassVar = ("x", "v")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.omega > 0:
            raise InputError(f"omega, the frequency of the drive, must be a positive number, not {self.omega}")

    @property
    def period(self) -> float:
        """Period of the drive, 2 pi / omega."""
        return 2 * pi / self.omega

    def vector_field(self, t: Float[Tensor, "*batch"] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return (dx/dt, dv/dt) at one time for all states, or at one time per state."""
        x, v = z.unbind(-1)
        # in float64, because float32 has no digits left for the phase at late times
        phase = self.omega * torch.as_tensor(t, dtype=torch.float64, device=z.device)
        drive = (self.gamma * phase.cos()).to(z.dtype)
        return torch.stack([v, drive - self.delta * v - self.alpha * x - self.beta * x**3], dim=-1)

    def divergence(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return the divergence of the field, -delta, at which phase-space area contracts."""
        return torch.full_like(z[..., 0], -self.delta)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((-1.6, 1.6), (-0.8, 0.8))) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from a box around both wells.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high)
            Range of each coordinate.

        Returns
        -------
        Tensor, shape ``(n, 2)``
            States in float64.
        """
        return box(n, bounds, seed)
