"""The pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import generator
from systems.system import Symmetry


@register("pendulum")
@dataclass(frozen=True)
class Pendulum(SeparableSystem):
    r"""A rigid pendulum, by default in units of its moment of inertia and of the inverse frequency of small swings.

    .. math:: H = \frac{p^2}{2I} + g (1 - \cos\theta)

    The state is ``z = (theta, p)``, with theta in radians. The pendulum swings below ``H = 2 g`` and turns over above. Small
    swings have the angular frequency :math:`\sqrt{g/I}`.

    Parameters
    ----------
    gravity : float, default 1
        Weight times the distance of the centre of mass from the pivot, g.
    inertia : float, default 1
        Moment of inertia I.

    Notes
    -----
    Use it as the first example: it has one angle, two kinds of motion, and a separatrix between them.
    """

    gravity: float = 1.0
    inertia: float = 1.0
    coordinates: ClassVar = ("theta", "p")
    periods: ClassVar = {"theta": 2 * pi}
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def kinetic(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return T(p)."""
        return p.square().sum(-1) / (2 * self.inertia)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return V(theta)."""
        return self.gravity * (1 - q.cos()).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return dT/dp = p / I."""
        return p / self.inertia

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return -dV/dtheta."""
        return -self.gravity * q.sin()

    def sample(self, n: int, *, seed: int = 0, amplitude: tuple[float, float] = (0.2, 2.5)) -> Float[Tensor, "n 2"]:
        """Draw swinging initial states with uniform amplitudes, at uniform angles within the swing.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        amplitude : (float, float)
            Range of the amplitudes [rad], (0.2, 2.5) by default.

        Returns
        -------
        Tensor, shape ``(n, 2)``
            States in float64.

        Raises
        ------
        InputError
            Unless 0 <= low <= high < pi for the range of amplitudes.
        """
        low, high = amplitude
        if not 0 <= low <= high < pi:
            raise InputError(f"amplitudes must be a range with 0 <= low <= high < pi, not {amplitude}")
        first, second, sign = torch.rand(3, n, generator=generator(n, seed), dtype=torch.float64)
        swing = low + (high - low) * first
        theta = swing * (2 * second - 1)
        momentum = (2 * self.gravity * self.inertia * (theta.cos() - swing.cos())).clamp(min=0).sqrt()
        return torch.stack([theta, momentum * (sign - 0.5).sign()], dim=-1)
