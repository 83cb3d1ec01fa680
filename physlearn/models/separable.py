"""Separable Hamiltonians T(p) + V(q), for explicit symplectic integrators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import activations
from physlearn.activations import Activation
from physlearn.activations.per_role import by_role
from physlearn.models.hamiltonian import Potential, check_even
from physlearn.models.inputs import NO_ANGLES, Angles
from physlearn.models.model import Model
from physlearn.models.registry import register
from physlearn.models.units import Structure
from systems import InputError


class SeparableModel(Model):
    """Base class of models with H = T(p) + V(q), where V is learned and subclasses define T.

    Given values, which follow the positions in the argument of V, are inputs of V but not of T.
    """

    structure: ClassVar[Structure] = "canonical"
    separable = True
    takes_given = True
    default_method = "yoshida-4"

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
        given: int = 0,
    ) -> None:
        super().__init__()
        check_even(self.name, dim)
        of_positions = {i: period for i, period in angles.items() if i < dim // 2}
        self.potential_energy = Potential(dim // 2, hidden, activation, generator, angles=of_positions, given=given)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Take the scales of positions and forces from the data."""
        self.potential_energy.standardize(self.parts(z)[0], rate.chunk(2, dim=-1)[1])

    def parts(self, z: Float[Tensor, "*batch inputs"]) -> tuple[Float[Tensor, "*batch m"], Float[Tensor, "*batch n"]]:
        """Return the positions, followed by the given values if there are any, and the momenta."""
        n = self.potential_energy.size
        q, p, given = z[..., :n], z[..., n : 2 * n], z[..., 2 * n :]
        return (torch.cat([q, given], dim=-1) if given.shape[-1] else q), p

    @abstractmethod
    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """Return T(p)."""

    def potential(self, q: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch"]:
        """Return V(q), up to a constant."""
        return self.potential_energy(q)

    @abstractmethod
    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return dT/dp."""

    def force(self, q: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch n"]:
        """Return -dV/dq."""
        return -self.potential_energy.gradient(q)

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return T(p) + V(q)."""
        q, p = self.parts(z)
        return self.kinetic(p) + self.potential(q)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return (dT/dp, -dV/dq)."""
        q, p = self.parts(z)
        return torch.cat([self.velocity(p), self.force(q)], dim=-1)


@register
class SeparableHamiltonianNetwork(SeparableModel):
    r"""Hamilton's equations for H = T(p) + V(q), with one network for T and one for V.

    .. math:: \dot q = \nabla T(p), \quad \dot p = -\nabla V(q)

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation; `physlearn.activations.PerRole` has one for V and one for T.
    generator
        Random generator of the initial weights.
    angles
        Periods of the coordinates whose cosine and sine are the inputs of the networks, by the index of the coordinate.
    given
        Number of given values, such as parameters, which follow the coordinates in each state and are inputs of V only.

    Raises
    ------
    InputError
        If the number of coordinates is odd, or the activation interpolates linearly.

    Notes
    -----
    Use it when H splits into T(p) + V(q), but the kinetic energy is not a sum of squares. It cannot fit a system whose H does
    not split.
    """

    name = "hnn-separable"
    compiled = True

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
        given: int = 0,
    ) -> None:
        for_positions, for_momenta = by_role(activations.get(activation))
        super().__init__(dim, hidden, for_positions, generator, angles, given)
        of_momenta = {i - dim // 2: period for i, period in angles.items() if i >= dim // 2}
        self.kinetic_energy = Potential(dim // 2, hidden, for_momenta, generator, angles=of_momenta)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Take the scales of positions, forces, momenta and velocities from the data.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Training states and dz/dt.
        """
        super().standardize(z, rate)
        self.kinetic_energy.standardize(self.parts(z)[1], rate.chunk(2, dim=-1)[0])

    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """Return T(p), up to a constant.

        Parameters
        ----------
        p : shape ``(..., D / 2)``
            Momenta.

        Returns
        -------
        Tensor, shape ``(...)``
            Kinetic energy.
        """
        return self.kinetic_energy(p)

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return the velocity dT/dp.

        Parameters
        ----------
        p : shape ``(..., D / 2)``
            Momenta.

        Returns
        -------
        Tensor, shape ``(..., D / 2)``
            Velocities.
        """
        return self.kinetic_energy.gradient(p)


@register
class MechanicalHamiltonianNetwork(SeparableModel):
    r"""Hamilton's equations for H = p^2/2 + V(q), with one network for V.

    .. math:: \dot q = p, \quad \dot p = -\nabla V(q)

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
        Periods of the positions whose cosine and sine are the inputs of the network, by the index of the coordinate.
    given
        Number of given values, such as parameters, which follow the coordinates in each state and are inputs of V.

    Raises
    ------
    InputError
        If the number of coordinates is odd, a momentum has a period, or the activation interpolates linearly.

    Notes
    -----
    Use it when momenta are velocities up to constant masses, such as a star in a galaxy, or an angle and its rate. It needs
    the least data of the networks.
    """

    name = "hnn-mechanical"
    compiled = True
    structure: ClassVar[Structure] = "mechanical"

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
        given: int = 0,
    ) -> None:
        if any(i >= dim // 2 for i in angles):
            raise InputError(f"the kinetic energy p^2/2 of {self.name} has no period: name only positions in angles")
        super().__init__(dim, hidden, activation, generator, angles, given)

    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """Return p^2/2.

        Parameters
        ----------
        p : shape ``(..., D / 2)``
            Momenta.

        Returns
        -------
        Tensor, shape ``(...)``
            Kinetic energy.
        """
        return p.square().sum(-1) / 2

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Return the velocity, which is p.

        Parameters
        ----------
        p : shape ``(..., D / 2)``
            Momenta.

        Returns
        -------
        Tensor, shape ``(..., D / 2)``
            Velocities.
        """
        return p
