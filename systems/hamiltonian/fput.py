"""The Fermi-Pasta-Ulam-Tsingou chain."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import generator
from systems.system import Symmetry

N = 32


@register("fput-alpha")
@dataclass(frozen=True)
class FPUTChain(SeparableSystem):
    r"""A chain of 32 particles between two walls with weakly nonlinear springs, in which the energy recurs.

    .. math:: H = \tfrac12 \sum_i p_i^2 + \sum_i \tfrac12 s_i^2 + \tfrac{\alpha}{3} s_i^3, \quad s_i = q_{i+1} - q_i

    The state is ``z = (q_1, .., q_32, p_1, .., p_32)``, dimensionless, with fixed ends q_0 = q_33 = 0.

    Parameters
    ----------
    alpha : float, default 0.25
        Strength of the quadratic force.

    Notes
    -----
    Use it for the recurrence of energy, and to try a method on many degrees of freedom: the state has 64 coordinates.

    References
    ----------
    Fermi, Pasta, Ulam and Tsingou, Los Alamos report LA-1940 (1955).
    """

    alpha: float = 0.25
    coordinates: ClassVar = (*(f"q_{i}" for i in range(1, N + 1)), *(f"p_{i}" for i in range(1, N + 1)))
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -torch.cat([part.flip(-1) for part in z.chunk(2, dim=-1)], -1),)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def potential(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """Return V(q), which is 0 at rest."""
        s = self._stretches(q)
        return (s**2 / 2 + self.alpha / 3 * s**3).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return -dV/dq."""
        s = self._stretches(q)
        return (s + self.alpha * s**2).diff(dim=-1)

    def mode_energies(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch n"]:
        """Return the energy of each normal mode of the linear chain.

        Parameters
        ----------
        z : shape ``(..., 64)``
            States.

        Returns
        -------
        Tensor, shape ``(..., 32)``
            Energies, starting with the longest wave.
        """
        q, p = z.chunk(2, dim=-1)
        k = torch.arange(1, N + 1, dtype=z.dtype, device=z.device)
        waves = (2 / (N + 1)) ** 0.5 * (pi / (N + 1) * k[:, None] * k).sin()
        frequency = 2 * (pi * k / (2 * (N + 1))).sin()
        return ((p @ waves) ** 2 + (frequency * (q @ waves)) ** 2) / 2

    def sample(self, n: int, *, seed: int = 0, amplitude: float = 1.0) -> Float[Tensor, "n D"]:
        """Draw initial states of the mode with the longest wave, at random phases.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        amplitude : float, default 1
            Amplitude of the displacement.

        Returns
        -------
        Tensor, shape ``(n, 64)``
            States in float64.
        """
        phase = 2 * pi * torch.rand(n, 1, generator=generator(n, seed), dtype=torch.float64)
        wave = amplitude * (pi / (N + 1) * torch.arange(1, N + 1, dtype=torch.float64)).sin()
        frequency = 2 * sin(pi / (2 * (N + 1)))
        return torch.cat([phase.cos() * wave, -frequency * phase.sin() * wave], dim=-1)

    def _stretches(self, q: Tensor) -> Tensor:
        return torch.nn.functional.pad(q, (1, 1)).diff(dim=-1)
