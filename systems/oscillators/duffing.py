"""The undamped, undriven Duffing oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry


@register("duffing")
@dataclass(frozen=True)
class Duffing(SeparableSystem):
    r"""A particle in a double well.

    .. math:: H = \tfrac12 p^2 + \tfrac{\alpha}{2} x^2 + \tfrac{\beta}{4} x^4

    The state is ``z = (x, p)``, dimensionless. For the default parameters, there are two wells at x = +-1. The separatrix
    H = 0, x = sqrt(2) / cosh t divides motion within one well from motion across both.

    Parameters
    ----------
    alpha : float, default -1
        Linear stiffness.
    beta : float, default 1
        Cubic stiffness.

    Notes
    -----
    Use it for motion near a separatrix, where the period diverges and forecasts are hardest. ``forced-duffing`` adds a drive,
    damping and chaos.

    References
    ----------
    Guckenheimer and Holmes, Nonlinear Oscillations, Springer (1983), section 2.2.
    """

    alpha: float = -1.0
    beta: float = 1.0
    coordinates: ClassVar = ("x", "p")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    def potential(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch"]:
        """Return V(x)."""
        return (self.alpha / 2 * q**2 + self.beta / 4 * q**4).sum(-1)

    def velocity(self, p: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return -dV/dx."""
        return -self.alpha * q - self.beta * q**3

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
