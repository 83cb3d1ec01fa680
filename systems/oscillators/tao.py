"""Tao's non-separable oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import HamiltonianSystem
from systems.registry import register
from systems.sampling import annulus
from systems.system import Symmetry


@register("tao-oscillator")
@dataclass(frozen=True)
class TaoOscillator(HamiltonianSystem):
    r"""A simple non-separable Hamiltonian system with closed, bounded orbits.

    .. math:: H = \tfrac12 (q^2 + 1)(p^2 + 1)

    The state is ``z = (q, p)``, dimensionless. The orbit through (-3, 0) has H = 5 and period 3.2610572.

    Notes
    -----
    Use it to test an integrator for Hamiltonians that are not separable, because its period is known.

    References
    ----------
    Tao, Phys. Rev. E 94, 043303 (2016).
    """

    coordinates: ClassVar = ("q", "p")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def hamiltonian(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return the energy of each state."""
        q, p = z.unbind(-1)
        return (q**2 + 1) * (p**2 + 1) / 2

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return ((q^2 + 1) p, -(p^2 + 1) q)."""
        q, p = z.unbind(-1)
        return torch.stack([(q**2 + 1) * p, -(p**2 + 1) * q], dim=-1)

    def sample(self, n: int, *, seed: int = 0, inner: float = 0.5, outer: float = 3.0) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from an annulus around the origin of phase space.

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
