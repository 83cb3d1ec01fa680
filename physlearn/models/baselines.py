"""Baselines that any network has to beat: fitted by least squares, in one go."""

from __future__ import annotations

from abc import abstractmethod
from itertools import combinations_with_replacement

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import jacrev, vmap

from physlearn.models.hamiltonian import check_even
from physlearn.models.model import Model
from physlearn.models.scaling import Standard
from systems.system import symplectic_gradient


class LeastSquaresModel(Model):
    """A model whose rates are linear in its coefficients."""

    default_integrator = "gauss-legendre-4"

    @abstractmethod
    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Fit the coefficients, after ``standardize``."""


class LinearModel(LeastSquaresModel):
    """dz/dt = A z + b, the best in the least-squares sense."""

    name = "linear"
    matrix: Tensor
    offset: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.zeros(dim, dim))
        self.register_buffer("offset", torch.zeros(dim))

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Nothing to scale."""

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Fit A and b."""
        design = torch.cat([z, torch.ones_like(z[:, :1])], dim=-1)
        solution = torch.linalg.lstsq(design.double(), rate.double()).solution
        self.matrix.copy_(solution[:-1].T)
        self.offset.copy_(solution[-1])

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """A z + b."""
        return z @ self.matrix.T + self.offset


class CubicHamiltonian(LeastSquaresModel):
    """H as a polynomial of degree 3 in q and p, with Hamilton's equations: exact for Henon-Heiles."""

    name = "cubic"
    degree = 3
    coefficients: Tensor
    powers: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        check_even(self.name, dim)
        powers = [
            [chosen.count(i) for i in range(dim)]
            for degree in range(1, self.degree + 1)
            for chosen in combinations_with_replacement(range(dim), degree)
        ]
        self.states = Standard(dim)
        self.register_buffer("powers", torch.tensor(powers))
        self.register_buffer("coefficients", torch.zeros(len(powers)))

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale the states, for a well-conditioned fit."""
        self.states.fit(z)

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Fit the coefficients to the rates, in which they are linear."""
        z, rate = z.double(), rate.double()
        slopes = vmap(jacrev(self._monomials))(z)  # (n, monomials, D)
        dq, dp = slopes.transpose(-1, -2).chunk(2, dim=-2)
        design = torch.cat([dp, -dq], dim=-2)  # (n, D, monomials)
        solution = torch.linalg.lstsq(design.flatten(0, 1), rate.flatten().unsqueeze(-1)).solution
        self.coefficients.copy_(solution.squeeze(-1))

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """The fitted energy, up to a constant."""
        return self._monomials(z) @ self.coefficients

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dH/dp, -dH/dq)."""
        return symplectic_gradient(self.hamiltonian, z)

    def _monomials(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch monomials"]:
        return (self.states(z).unsqueeze(-2) ** self.powers).prod(-1)
