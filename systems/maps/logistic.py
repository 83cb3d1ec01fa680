"""The logistic map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from systems.maps.map import Map
from systems.maps.registry import register
from systems.sampling import Bounds, box


@register("logistic")
@dataclass(frozen=True)
class LogisticMap(Map):
    r"""A population with limited growth, the standard example of period doubling.

    .. math:: x' = r x (1 - x)

    The state is ``z = (x,)``. For 0 <= r <= 4 the interval from 0 to 1 is mapped into itself. The cycles of periods 2, 4, 8
    and 16 appear at r = 3, 3.449490, 3.544090 and 3.564407, and chaos at r = 3.569946. For r = 4 the exponent is ln 2.

    Parameters
    ----------
    r : float, default 4
        Growth rate.

    Notes
    -----
    Use it for bifurcation diagrams, and to check estimates of exponents, which are known for r = 4.

    References
    ----------
    May, Nature 261, 459 (1976). Feigenbaum, J. Stat. Phys. 19, 25 (1978).
    """

    r: float = 4.0
    coordinates: ClassVar = ("x",)

    def step(self, z: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        """Return the next x."""
        return self.r * z * (1 - z)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((0.0, 1.0),)) -> Float[Tensor, "n 1"]:
        """Draw initial states uniformly from an interval.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high)
            Range of the coordinate.

        Returns
        -------
        Tensor, shape ``(n, 1)``
            States in float64.
        """
        return box(n, bounds, seed)
