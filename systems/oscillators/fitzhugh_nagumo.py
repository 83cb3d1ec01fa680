"""The FitzHugh-Nagumo neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import System


@register("fitzhugh-nagumo")
@dataclass(frozen=True)
class FitzHughNagumo(System):
    r"""A model of a nerve cell that fires periodically while a current flows into it.

    .. math:: \dot v = v - v^3 / 3 - w + I, \quad \dot w = \varepsilon (v + a - b w)

    The state is ``z = (v, w)``, the membrane voltage and the recovery variable, dimensionless.

    Parameters
    ----------
    a, b : float, default 0.7 and 0.8
        Coefficients of the recovery.
    epsilon : float, default 0.08
        Rate of the recovery relative to that of the voltage.
    current : float, default 0.5
        Injected current I.

    Notes
    -----
    Use it for a limit cycle with a fast and a slow variable. It has no Hamiltonian, so only models of a vector field can learn
    it.

    References
    ----------
    FitzHugh, Biophys. J. 1, 445 (1961).
    """

    a: float = 0.7
    b: float = 0.8
    epsilon: float = 0.08
    current: float = 0.5
    coordinates: ClassVar = ("v", "w")

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return (dv/dt, dw/dt)."""
        v, w = z.unbind(-1)
        return torch.stack([v - v**3 / 3 - w + self.current, self.epsilon * (v + self.a - self.b * w)], dim=-1)

    def divergence(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return the divergence of the field, 1 - v^2 - epsilon b, at which phase-space area grows."""
        return 1 - z[..., 0] ** 2 - self.epsilon * self.b

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((-2.2, 2.2), (-0.5, 1.8))) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from a box around the limit cycle.

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
