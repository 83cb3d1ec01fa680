"""The symplectic Euler method."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.implicit import Implicit


class SymplecticEuler(Implicit):
    r"""The symplectic Euler method of order 1, which updates the momenta first (kick), then the positions (drift).

    .. math:: p' = p - \Delta t\, \partial_q H(q, p'), \qquad q' = q + \Delta t\, \partial_p H(q, p')

    It is explicit for a separable H and implicit for any other. The constructor raises NotHamiltonianError for a flow without
    a Hamiltonian.

    Notes
    -----
    Use it to show that a method of order 1 can keep the energy bounded. For a separable H, ``leapfrog`` is as simple and has
    order 2.

    References
    ----------
    Hairer, Lubich, Wanner, Geometric Numerical Integration, chapter VI.3.
    """

    name = "symplectic-euler"
    order = 1
    symplectic = True

    def __init__(self, flow: Flow, **options: Any) -> None:
        flow.require_hamiltonian(self.name)
        super().__init__(flow, **options)

    def attempt(
        self, t: Tensor, z: Float[Tensor, "*batch D"], dt: float
    ) -> tuple[Float[Tensor, "*batch D"], Bool[Tensor, "*batch"]]:
        """Try one step, which is explicit if the Hamiltonian is separable."""
        q, p = z.chunk(2, dim=-1)
        if self.flow.velocity is not None and self.flow.force is not None:
            p = p + dt * self.flow.force(q)
            return torch.cat([q + dt * self.flow.velocity(p), p], dim=-1), torch.ones_like(self.lost)

        def increments(x: Tensor, z: Tensor) -> Tensor:
            q, p = z.chunk(2, dim=-1)
            dp = x.chunk(2, dim=-1)[1]
            return dt * self.flow.field(t, torch.cat([q, p + dp], dim=-1))

        x, done = self.solved(increments, dt * self.flow.field(t, z), z)
        return z + x, done
