"""Base classes of Hamiltonian systems, and of those whose Hamiltonian is T(p) + V(q)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import gradient
from systems.system import System


class HamiltonianSystem(System):
    """A Hamiltonian system, dq/dt = dH/dp and dp/dt = -dH/dq, with z = (q_1..q_n, p_1..p_n).

    A subclass implements `hamiltonian`. The vector field is derived by automatic differentiation unless the subclass overrides
    it.

    Attributes
    ----------
    separable : bool
        Whether H = T(p) + V(q). Defaults to False; see `SeparableSystem`.
    """

    canonical: ClassVar[bool] = True
    separable: ClassVar[bool] = False

    @abstractmethod
    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return the energy of each state.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(...)``
            Value of H.
        """

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return (dH/dp, -dH/dq).

        Parameters
        ----------
        t : scalar
            Time, which has no influence.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            Time derivative of each state.
        """
        return symplectic_gradient(self.hamiltonian, z)


class SeparableSystem(HamiltonianSystem):
    """A Hamiltonian system with H = T(p) + V(q), which explicit symplectic integrators can solve.

    A subclass implements `potential`. The kinetic energy is p^2/2 unless the subclass overrides it.
    """

    separable: ClassVar[bool] = True

    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """Return the kinetic energy T(p).

        Parameters
        ----------
        p : shape ``(..., n)``
            Momenta.

        Returns
        -------
        Tensor, shape ``(...)``
            Kinetic energy, p^2/2 by default.
        """
        return p.square().sum(-1) / 2

    @abstractmethod
    def potential(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """Return the potential energy V(q).

        Parameters
        ----------
        q : shape ``(..., n)``
            Positions.

        Returns
        -------
        Tensor, shape ``(...)``
            Potential energy.
        """

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return T(p) + V(q).

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(...)``
            Energy.
        """
        q, p = z.chunk(2, dim=-1)
        return self.kinetic(p) + self.potential(q)

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return dT/dp.

        Parameters
        ----------
        p : shape ``(..., n)``
            Momenta.

        Returns
        -------
        Tensor, shape ``(..., n)``
            Time derivative of the positions.
        """
        return gradient(self.kinetic, p)

    def force(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return -dV/dq.

        Parameters
        ----------
        q : shape ``(..., n)``
            Positions.

        Returns
        -------
        Tensor, shape ``(..., n)``
            Time derivative of the momenta.
        """
        return -gradient(self.potential, q)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return (dT/dp, -dV/dq).

        Parameters
        ----------
        t : scalar
            Time, which has no influence.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            Time derivative of each state.
        """
        q, p = z.chunk(2, dim=-1)
        return torch.cat([self.velocity(p), self.force(q)], dim=-1)


def reverse_momenta(z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """Return states with the opposite momenta, a reversal of systems whose H is even in the momenta."""
    q, p = z.chunk(2, dim=-1)
    return torch.cat([q, -p], dim=-1)


def symplectic_gradient(hamiltonian: Callable[[Tensor], Tensor], z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """Return (dH/dp, -dH/dq). States of a batch do not interact, so one gradient of the sum gives the gradient of each."""
    return rotate(gradient(hamiltonian, z))


def rotate(slope: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """Multiply a gradient by the symplectic matrix J, which maps (dH/dq, dH/dp) to (dH/dp, -dH/dq)."""
    dq, dp = slope.chunk(2, dim=-1)
    return torch.cat([dp, -dq], dim=-1)
