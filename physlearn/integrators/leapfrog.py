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

    Notes
    -----
    Use it for long orbits of H = T(p) + V(q) at low accuracy. ``yoshida-4`` is cheaper at high accuracy.

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
    r"""Yoshida's method of order 4 for H = T(p) + V(q): three leapfrog steps, the middle one backwards.

    .. math:: \Psi_{\Delta t} = \Phi_{w_1 \Delta t} \circ \Phi_{w_0 \Delta t} \circ \Phi_{w_1 \Delta t}, \quad
        w_1 = 1 / (2 - 2^{1/3}), \quad w_0 = -2^{1/3} w_1

    Here :math:`\Phi_h` is a leapfrog step of length h.

    Notes
    -----
    Use it for long orbits of H = T(p) + V(q), such as a trained ``hnn-separable`` or ``hnn-mechanical``. It is the default
    choice there.

    References
    ----------
    Yoshida, Phys. Lett. A 150, 262 (1990).
    """

    name = "yoshida-4"
    order = 4
    weights = (_OUTER, -_CUBE_ROOT * _OUTER, _OUTER)


_W1, _W2, _W3 = -1.17767998417887, 0.235573213359357, 0.784513610477560


class Yoshida6(Leapfrog):
    r"""Yoshida's method of order 6 for H = T(p) + V(q): seven leapfrog steps (solution A).

    .. math::
        \Psi_{\Delta t} = \Phi_{w_3 \Delta t} \circ \Phi_{w_2 \Delta t} \circ \Phi_{w_1 \Delta t} \circ \Phi_{w_0 \Delta t}
        \circ \Phi_{w_1 \Delta t} \circ \Phi_{w_2 \Delta t} \circ \Phi_{w_3 \Delta t}, \quad w_0 = 1 - 2 (w_1 + w_2 + w_3)

    Here :math:`\Phi_h` is a leapfrog step of length h.

    Notes
    -----
    Use it for H = T(p) + V(q) where the energy must be kept to nearly rounding, over very long times.

    References
    ----------
    Yoshida, Phys. Lett. A 150, 262 (1990), table 1.
    """

    name = "yoshida-6"
    order = 6
    weights = (_W3, _W2, _W1, 1 - 2 * (_W1 + _W2 + _W3), _W1, _W2, _W3)
