"""Swinging Atwood's machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.hamiltonian_system import HamiltonianSystem, reverse_momenta
from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry


@register("swinging-atwood")
@dataclass(frozen=True)
class SwingingAtwood(HamiltonianSystem):
    r"""Two masses on a string over two pulleys: a counterweight that moves up and down, and a unit mass that also swings.

    .. math:: H = \frac{p_r^2}{2 (1 + \mu)} + \frac{p_\theta^2}{2 r^2} + g r (\mu - \cos\theta)

    The state is ``z = (r, theta, p_r, p_theta)``, where r is the length of the string to the swinging mass, and theta its
    angle from the downward vertical. For the default mass ratio of 3 the system is integrable, for most others it is not.

    Parameters
    ----------
    mass_ratio : float, default 3
        Mass mu of the counterweight, in units of the swinging mass; orbits are bounded if it is greater than 1.
    gravity : float, default 1
        Gravitational acceleration g.

    Notes
    -----
    Use it to see how a parameter decides between order and chaos in a mechanical system. H is not separable, so use a method
    that is symplectic for any H.

    References
    ----------
    N. B. Tufillaro, T. A. Abbott and D. J. Griffiths, Am. J. Phys. 52, 895 (1984).
    """

    mass_ratio: float = 3.0
    gravity: float = 1.0
    coordinates: ClassVar = ("r", "theta", "p_r", "p_theta")
    periods: ClassVar = {"theta": 2 * pi}
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z * z.new_tensor([1.0, -1.0, 1.0, -1.0]),)
    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    @property
    def surface(self) -> tuple[str, float]:
        """Default surface of section, on which the swinging mass hangs straight down."""
        return "theta", 0.0

    def hamiltonian(self, z: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
        """Return the energy of each state."""
        r, theta, p_r, p_theta = z.unbind(-1)
        kinetic = p_r**2 / (2 * (1 + self.mass_ratio)) + p_theta**2 / (2 * r**2)
        return kinetic + self.gravity * r * (self.mass_ratio - theta.cos())

    def sample(
        self, n: int, *, seed: int = 0, bounds: Bounds = ((0.8, 1.2), (-1.0, 1.0), (-0.5, 0.5), (-0.5, 0.5))
    ) -> Float[Tensor, "n 4"]:
        """Draw initial states uniformly from a box.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high)
            Range of each coordinate; r must be positive.

        Returns
        -------
        Tensor, shape ``(n, 4)``
            States in float64.
        """
        return box(n, bounds, seed)
