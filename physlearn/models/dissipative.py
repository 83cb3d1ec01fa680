"""Hamiltonian networks with an additional learned force, which drives or damps the motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import over_batch, root_mean_square
from physlearn.models.separable import MechanicalHamiltonianNetwork
from physlearn.models.units import Structure


@register
class DissipativeHamiltonianNetwork(Model):
    r"""Hamilton's equations for a learned H(q, p), with a learned force that drives or damps the motion.

    .. math:: \dot q = \partial H / \partial p, \quad \dot p = -\partial H / \partial q + F(q, p), \quad F(q, -p) = -F(q, p)

    F changes sign with the momenta, as friction and the push of an escapement do, so it cannot replace forces that a potential
    explains. A plain Hamiltonian network would leave it in the residual. ``conservative`` is the Hamiltonian network, which is
    a flow itself; ``drive(z)`` is F.

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation.
    generator
        Random generator of the initial weights.
    angles
        Periods of the coordinates whose cosine and sine are the inputs of the networks, by the index of the coordinate.

    Raises
    ------
    InputError
        If the number of coordinates is odd.

    Notes
    -----
    Use it for a nearly conservative system with a loss and a drive that change sign with the velocity, such as a pendulum
    clock.

    References
    ----------
    A. Sosanya and S. Greydanus, Dissipative Hamiltonian Neural Networks, arXiv:2201.10085, for the idea of a learned
    dissipative part, which is the gradient of a second potential there.
    """

    name = "dissipative-hnn"
    structure: ClassVar[Structure] = "odd"
    default_method = "gauss-legendre-4"
    hamiltonian_network: type[HamiltonianNetwork | MechanicalHamiltonianNetwork] = HamiltonianNetwork
    drive_scale: Tensor

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
    ) -> None:
        super().__init__()
        self.conservative = self.hamiltonian_network(dim, hidden, activation, generator, angles)
        self.states = Inputs(dim, angles)
        self.network = Network(self.states.width, dim // 2, hidden, activation, last_bias=False, generator=generator)
        self.register_buffer("drive_scale", torch.ones(()))

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Take the scales of the states, of H and of F from the data; momenta are not shifted, because F is odd in them.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Training states and dz/dt.
        """
        self.conservative.standardize(z, rate)
        self.states.fit(z)
        self.states.center[z.shape[1] // 2 : z.shape[1]] = 0
        self.drive_scale.copy_(root_mean_square(rate.chunk(2, dim=-1)[1]))

    def drive(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch n"]:
        """Return the force F(q, p).

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D / 2)``
            Force.
        """
        q, p = z.chunk(2, dim=-1)
        odd = self.network(self.states(z)) - self.network(self.states(torch.cat([q, -p], dim=-1)))
        return over_batch(self.drive_scale.unsqueeze(-1), 1) * odd / 2

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return (dH/dp, -dH/dq + F).

        Parameters
        ----------
        t
            Time; not used.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            dz/dt.
        """
        dq, dp = self.conservative.vector_field(t, z).chunk(2, dim=-1)
        return torch.cat([dq, dp + self.drive(z)], dim=-1)


@register
class DissipativeMechanicalNetwork(DissipativeHamiltonianNetwork):
    r"""A dissipative network with H = p^2/2 + V(q): V gives the forces that are even in the momenta, F those that are odd.

    .. math:: \dot q = p, \quad \dot p = -\nabla V(q) + F(q, p), \quad F(q, -p) = -F(q, p)

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation.
    generator
        Random generator of the initial weights.
    angles
        Periods of the positions whose cosine and sine are the inputs of the networks, by the index of the coordinate.

    Raises
    ------
    InputError
        If the number of coordinates is odd, or a momentum has a period.

    Notes
    -----
    Use it for a recorded oscillation of one amplitude, whose states fill a thin ring that hardly determines a general H(q, p).
    """

    name = "dissipative-hnn-mechanical"
    structure: ClassVar[Structure] = "mechanical"
    hamiltonian_network = MechanicalHamiltonianNetwork
