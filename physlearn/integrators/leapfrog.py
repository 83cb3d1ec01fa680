"""Leapfrog, and Yoshida's higher-order compositions of it."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.integrator import Integrator


class Leapfrog(Integrator):
    r"""The leapfrog (Stormer-Verlet) method: kick, drift, kick.

    .. math:: p_{1/2} = p - \tfrac{\Delta t}2 V'(q), \quad q' = q + \Delta t\, T'(p_{1/2}), \quad
              p' = p_{1/2} - \tfrac{\Delta t}2 V'(q')

    It is explicit and symmetric, has order 2, and is symplectic for H = T(p) + V(q). The constructor raises NotSeparableError
    for any other H, for which the method would not be symplectic.

    References
    ----------
    Verlet, Phys. Rev. 159, 98 (1967).
    """

    name = "leapfrog"
    order = 2
    symplectic = True
    symmetric = True
    weights: ClassVar[tuple[float, ...]] = (1.0,)  # lengths of the leapfrog steps within one step

    def __init__(self, flow: Flow) -> None:
        self.velocity, self.force = flow.require_separable(self.name)
        super().__init__(flow)

    def step(self, t: Tensor, z: Tensor, dt: float) -> Tensor:
        """Take one step from the states z ``(..., D)``, merging the kicks between two drifts."""
        q, p = z.chunk(2, dim=-1)
        kick = 0.0
        for weight in self.weights:
            p = p + dt * (kick + weight / 2) * self.force(q)
            q = q + dt * weight * self.velocity(p)
            kick = weight / 2
        p = p + dt * kick * self.force(q)
        return torch.cat([q, p], dim=-1)


_CUBE_ROOT = 2 ** (1 / 3)
_OUTER = 1 / (2 - _CUBE_ROOT)


class Yoshida4(Leapfrog):
    """Yoshida's method of order 4 for H = T(p) + V(q): three leapfrog steps, the middle one backwards.

    References
    ----------
    Yoshida, Phys. Lett. A 150, 262 (1990).
    """

    name = "yoshida-4"
    order = 4
    weights = (_OUTER, -_CUBE_ROOT * _OUTER, _OUTER)


_W1, _W2, _W3 = -1.17767998417887, 0.235573213359357, 0.784513610477560


class Yoshida6(Leapfrog):
    """Yoshida's method of order 6 for H = T(p) + V(q): seven leapfrog steps (solution A).

    References
    ----------
    Yoshida, Phys. Lett. A 150, 262 (1990), table 1.
    """

    name = "yoshida-6"
    order = 6
    weights = (_W3, _W2, _W1, 1 - 2 * (_W1 + _W2 + _W3), _W1, _W2, _W3)
