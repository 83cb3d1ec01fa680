"""The Lotka-Volterra system in canonical coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import SeparableSystem
from systems.registry import register
from systems.sampling import annulus


@register("lotka-volterra")
@dataclass(frozen=True)
class LotkaVolterra(SeparableSystem):
    r"""Prey x and predators y, in the canonical coordinates q = ln x and p = ln y.

    .. math:: H = p - e^p + q - e^q, \quad \dot x = x (1 - y), \quad \dot y = y (x - 1)

    The state is ``z = (q, p)``. The populations are in units of their equilibrium values, so the equilibrium is the origin.
    The orbit through x = 2, y = 1 has period 6.60848267.

    Notes
    -----
    Use it for a Hamiltonian system from outside mechanics: its kinetic energy is not a square, so that ``hnn-separable`` fits
    it and ``hnn-mechanical`` does not.

    References
    ----------
    Kerner, Bull. Math. Biophys. 26, 333 (1964).
    """

    coordinates: ClassVar = ("q", "p")

    def kinetic(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return p - e^p, which is not a kinetic energy, but the part of H that drives the prey."""
        return (p - p.exp()).sum(-1)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return q - e^q."""
        return (q - q.exp()).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return dT/dp = 1 - e^p."""
        return 1 - p.exp()

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return -dV/dq = e^q - 1."""
        return q.exp() - 1

    def sample(self, n: int, *, seed: int = 0, inner: float = 0.2, outer: float = 1.5) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from an annulus around the equilibrium.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        inner, outer : float
            Radii of the annulus.

        Returns
        -------
        Tensor, shape ``(n, 2)``
            States in float64.

        Raises
        ------
        InputError
            Unless 0 <= inner < outer.
        """
        return annulus(n, inner, outer, seed)
