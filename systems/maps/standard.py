"""The standard map."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.maps.map import Map
from systems.maps.registry import register
from systems.sampling import Bounds, box

TURN = 2 * pi


@register("standard")
@dataclass(frozen=True)
class StandardMap(Map):
    r"""A kicked rotor, the section of a typical Hamiltonian with two degrees of freedom: Chirikov's map.

    .. math:: p' = p + K \sin\theta, \qquad \theta' = \theta + p' \mod 2\pi

    The state is ``z = (theta, p)``. The map preserves area, and does not change when theta or p changes by 2 pi. The angle is
    returned between 0 and 2 pi, and the momentum is not reduced, so that its diffusion can be measured. The last rotational
    invariant curve breaks at K = 0.971635. For large K, the exponent is close to ln(K / 2).

    Parameters
    ----------
    K : float, default 0.971635
        Strength of the kicks.

    Notes
    -----
    Use it as a quick model of the section of a Hamiltonian system: invariant curves, islands, chaos, and the diffusion of
    momentum for large K.

    References
    ----------
    Chirikov, Phys. Rep. 52, 263 (1979). Greene, J. Math. Phys. 20, 1183 (1979).
    """

    K: float = 0.971635
    coordinates: ClassVar = ("theta", "p")
    periods: ClassVar = {"theta": TURN, "p": TURN}

    def step(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return the next (theta, p)."""
        theta, p = z.unbind(-1)
        kicked = p + self.K * theta.sin()
        return torch.stack([(theta + kicked) % TURN, kicked], dim=-1)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((0.0, TURN), (0.0, TURN))) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from a box, by default one cell of the torus.

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
