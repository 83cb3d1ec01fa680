"""The Henon map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.maps.map import Map
from systems.maps.registry import register
from systems.sampling import Bounds, box


@register("henon")
@dataclass(frozen=True)
class HenonMap(Map):
    r"""A map of the plane with a strange attractor, which stretches, folds and contracts area by the factor b.

    .. math:: x' = 1 - a x^2 + y, \qquad y' = b x

    The state is ``z = (x, y)``. For the default parameters the exponents are 0.41922 and ln(0.3) - 0.41922.

    Parameters
    ----------
    a : float, default 1.4
        Strength of the fold.
    b : float, default 0.3
        Contraction of area in one step.

    Notes
    -----
    Use it for a strange attractor that costs nothing to compute, and for period doubling as a grows.

    References
    ----------
    Henon, Commun. Math. Phys. 50, 69 (1976).
    """

    a: float = 1.4
    b: float = 0.3
    coordinates: ClassVar = ("x", "y")

    def step(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return the next (x, y)."""
        x, y = z.unbind(-1)
        return torch.stack([1 - self.a * x**2 + y, self.b * x], dim=-1)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((-0.5, 0.5), (-0.2, 0.2))) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from a box, by default one within Henon's trapping region.

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
