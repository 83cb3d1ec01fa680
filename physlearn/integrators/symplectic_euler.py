"""Symplectic Euler."""

from __future__ import annotations

import torch
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.implicit import Implicit


class SymplecticEuler(Implicit):
    r"""Symplectic Euler: order 1; the momenta first (kick), then the positions (drift).

    .. math:: p' = p - \Delta t\, \partial_q H(q, p'), \qquad q' = q + \Delta t\, \partial_p H(q, p')

    Explicit for a separable H, implicit for any other. Raises NotHamiltonianError for a flow without a Hamiltonian.
    Source: Hairer, Lubich, Wanner, Geometric Numerical Integration, chapter VI.3.
    """

    name = "symplectic-euler"
    order = 1
    symplectic = True

    def __init__(self, flow: Flow, **options: object) -> None:
        flow.require_hamiltonian(self.name)
        super().__init__(flow, **options)  # type: ignore[arg-type]

    def step(self, t: Tensor, z: Tensor, dt: float) -> Tensor:
        """One step; z: ``(..., D)``."""
        q, p = z.chunk(2, dim=-1)
        if self.flow.velocity is not None and self.flow.force is not None:
            p = p + dt * self.flow.force(q)
            return torch.cat([q + dt * self.flow.velocity(p), p], dim=-1)

        def increments(x: Tensor) -> Tensor:
            dp = x.chunk(2, dim=-1)[1]
            return dt * self.flow.field(t, torch.cat([q, p + dp], dim=-1))

        return z + self.solve_step(increments, dt * self.flow.field(t, z), z, t)
