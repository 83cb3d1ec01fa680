"""Hamiltonians that split into T(p) + V(q), for explicit symplectic integrators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.hamiltonian import Potential, check_even
from physlearn.models.inputs import NO_ANGLES, Angles
from physlearn.models.model import Model
from physlearn.models.registry import register
from physlearn.models.units import Structure
from systems import InputError


class SeparableModel(Model):
    """H = T(p) + V(q), with V learned; subclasses say what T is."""

    structure: ClassVar[Structure] = "canonical"
    separable = True
    default_method = "yoshida-4"

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
    ) -> None:
        super().__init__()
        check_even(self.name, dim)
        of_positions = {i: period for i, period in angles.items() if i < dim // 2}
        self.potential_energy = Potential(dim // 2, hidden, activation, generator, angles=of_positions)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale positions and forces."""
        self.potential_energy.standardize(z.chunk(2, dim=-1)[0], rate.chunk(2, dim=-1)[1])

    @abstractmethod
    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """T(p)."""

    def potential(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """V(q), up to a constant."""
        return self.potential_energy(q)

    @abstractmethod
    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """dT/dp."""

    def force(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """-dV/dq."""
        return -self.potential_energy.gradient(q)

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """T(p) + V(q)."""
        q, p = z.chunk(2, dim=-1)
        return self.kinetic(p) + self.potential(q)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dT/dp, -dV/dq)."""
        q, p = z.chunk(2, dim=-1)
        return torch.cat([self.velocity(p), self.force(q)], dim=-1)


@register
class SeparableHamiltonianNetwork(SeparableModel):
    """T(p) + V(q), a network for each."""

    name = "hnn-separable"
    compiled = True

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
    ) -> None:
        super().__init__(dim, hidden, activation, generator, angles)
        of_momenta = {i - dim // 2: period for i, period in angles.items() if i >= dim // 2}
        self.kinetic_energy = Potential(dim // 2, hidden, activation, generator, angles=of_momenta)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale positions and forces, momenta and velocities."""
        super().standardize(z, rate)
        self.kinetic_energy.standardize(z.chunk(2, dim=-1)[1], rate.chunk(2, dim=-1)[0])

    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """T(p), up to a constant."""
        return self.kinetic_energy(p)

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """dT/dp."""
        return self.kinetic_energy.gradient(p)


@register
class MechanicalHamiltonianNetwork(SeparableModel):
    """p^2/2 + V(q): unit masses are known, the potential is learned.

    Right where the momenta are the velocities, as for a star in a galaxy, or for an angle and its rate.
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
    ) -> None:
        if any(i >= dim // 2 for i in angles):
            raise InputError(f"the kinetic energy p^2/2 of {self.name} has no period: name only positions in angles")
        super().__init__(dim, hidden, activation, generator, angles)

    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """p^2/2."""
        return p.square().sum(-1) / 2

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """P."""
        return p
