"""The Lorenz system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry, System


@register("lorenz")
@dataclass(frozen=True)
class Lorenz(System):
    r"""A model of convection with three variables, whose attractor was the first strange attractor to be found.

    .. math:: \dot x = \sigma (y - x), \quad \dot y = x (\rho - z) - y, \quad \dot z = x y - \beta z

    The state is ``z = (x, y, z)``, dimensionless. The largest Lyapunov exponent is 0.906 for the default parameters.

    Parameters
    ----------
    sigma : float, default 10
        Prandtl number.
    rho : float, default 28
        Rayleigh number, relative to the onset of convection.
    beta : float, default 8/3
        Geometric factor of the convection cells.

    Notes
    -----
    Use it for dissipative chaos and for forecasts beyond the valid time, where only statistics of the attractor can be right.

    References
    ----------
    Lorenz, J. Atmos. Sci. 20, 130 (1963).
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8 / 3
    coordinates: ClassVar = ("x", "y", "z")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z * z.new_tensor([-1.0, -1.0, 1.0]),)

    @property
    def surface(self) -> tuple[str, float]:
        """Section at the height of the two unstable fixed points, z = rho - 1."""
        return "z", self.rho - 1

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Return (dx/dt, dy/dt, dz/dt)."""
        x, y, height = z.unbind(-1)
        return torch.stack([self.sigma * (y - x), x * (self.rho - height) - y, x * y - self.beta * height], dim=-1)

    def divergence(self, z: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """Return the divergence of the field, -(sigma + 1 + beta), at which phase-space volume contracts."""
        return torch.full_like(z[..., 0], -(self.sigma + 1 + self.beta))

    def sample(
        self, n: int, *, seed: int = 0, bounds: Bounds = ((-15.0, 15.0), (-20.0, 20.0), (10.0, 40.0))
    ) -> Float[Tensor, "n 3"]:
        """Draw initial states uniformly from a box around the attractor.

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
        Tensor, shape ``(n, 3)``
            States in float64.
        """
        return box(n, bounds, seed)
