"""Baselines that any network has to beat: fitted by least squares, in one go."""

from __future__ import annotations

import copy
from abc import abstractmethod
from itertools import combinations_with_replacement

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.hamiltonian import check_even
from physlearn.models.model import Model
from physlearn.models.scaling import Standard
from systems.system import rotate


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
    factors: Tensor
    coefficients: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        check_even(self.name, dim)
        # A monomial is a product of three of (1, u_1, ..., u_D), of which 1 1 1 is left out: it has no gradient.
        factors = list(combinations_with_replacement(range(dim + 1), 3))[1:]
        self.states = Standard(dim)
        self.register_buffer("factors", nn.functional.one_hot(torch.tensor(factors).T, dim + 1).to(torch.get_default_dtype()))
        self.register_buffer("coefficients", torch.zeros(len(factors)))

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale the states, for a well-conditioned fit."""
        self.states.fit(z)

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Fit the coefficients to the rates, in which they are linear."""
        exact = copy.deepcopy(self).double()
        slopes = [exact._gradient(z.double(), unit) for unit in torch.eye(len(self.coefficients), dtype=torch.float64)]
        design = torch.stack([rotate(slope) for slope in slopes], dim=-1)  # (n, D, monomials)
        solution = torch.linalg.lstsq(design.flatten(0, 1), rate.double().flatten().unsqueeze(-1)).solution
        self.coefficients.copy_(solution.squeeze(-1))

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """The fitted energy, up to a constant."""
        a, b, c = self._parts(z)
        return (a * b * c) @ self.coefficients

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dH/dp, -dH/dq)."""
        return rotate(self._gradient(z, self.coefficients))

    def _parts(self, z: Float[Tensor, "*batch D"]) -> list[Float[Tensor, "*batch monomials"]]:
        """The three factors of each monomial."""
        u = self.states(z)
        u = torch.cat([torch.ones_like(u[..., :1]), u], dim=-1)
        return [u @ chosen.T for chosen in self.factors]

    def _gradient(self, z: Float[Tensor, "*batch D"], coefficients: Float[Tensor, " monomials"]) -> Float[Tensor, "*batch D"]:
        """By the product rule, one factor at a time."""
        a, b, c = self._parts(z)
        products = (b * c, a * c, a * b)
        slope = sum((coefficients * rest) @ chosen[:, 1:] for rest, chosen in zip(products, self.factors, strict=True))
        return slope / self.states.scale
