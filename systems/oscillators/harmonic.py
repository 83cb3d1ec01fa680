"""The harmonic oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import annulus
from systems.system import Symmetry


@register("harmonic-oscillator")
@dataclass(frozen=True)
class HarmonicOscillator(SeparableSystem):
    r"""A mass on a spring.

    .. math:: H = \frac{p^2}{2m} + \tfrac12 m \omega^2 q^2

    The state is ``z = (q, p)``, in any consistent units. The period is :math:`2\pi/\omega`.

    Parameters
    ----------
    frequency : float, default 1
        Angular frequency omega.
    mass : float, default 1
        Mass m.

    Notes
    -----
    Use it to check a method, because the exact solution is known.
    """

    frequency: float = 1.0
    mass: float = 1.0
    coordinates: ClassVar = ("q", "p")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def kinetic(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return T(p)."""
        return p.square().sum(-1) / (2 * self.mass)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return V(q)."""
        return self.mass * self.frequency**2 * q.square().sum(-1) / 2

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return dT/dp = p / m."""
        return p / self.mass

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return -dV/dq."""
        return -self.mass * self.frequency**2 * q

    def sample(self, n: int, *, seed: int = 0, inner: float = 0.2, outer: float = 1.0) -> Float[Tensor, "n 2"]:
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
